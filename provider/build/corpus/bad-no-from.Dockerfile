ARG A
# error: line 1, column 1: there is no FROM; begin with `FROM scratch`, or with the name of an image
