FROM scratch
COPY <<EOF /x
hello
# error: line 2, column 6: the here-document is not ended by a line `EOF`
