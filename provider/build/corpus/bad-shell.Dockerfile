FROM scratch
SHELL /bin/sh -c
# error: line 2, column 7: SHELL needs a list: ["/bin/sh", "-c"]
