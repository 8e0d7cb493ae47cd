FROM scratch
HEALTHCHECK --interval=1us CMD true
# error: line 2, column 13: `1us` is no duration of 1 ms or more, such as 30s or 1m30s
