# sees: a
# args: none
FROM scratch
COPY a \  
  /x
ENV A=1\\
