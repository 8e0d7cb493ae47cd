FROM scratch
ENV A=1 B
# error: line 2, column 5: ENV has a name without `=` and a value
