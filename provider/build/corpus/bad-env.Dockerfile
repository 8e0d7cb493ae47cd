FROM scratch
ENV A
# error: line 2, column 5: ENV needs a name and a value
