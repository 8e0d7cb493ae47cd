# sees: nothing
# args: none
FROM scratch
ENV A=1 B="two words" C=three\ words D='$A' E="$A"
ENV OLD the old form  keeps spaces
ENV PATH=/app/bin:$PATH EMPTY=
