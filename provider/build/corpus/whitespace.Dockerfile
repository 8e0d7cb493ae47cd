# sees: a b
# args: none


   FROM	 scratch  
	COPY   a	 b   /x/  

