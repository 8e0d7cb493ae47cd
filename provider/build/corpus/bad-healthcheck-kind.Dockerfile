FROM scratch
HEALTHCHECK TRUE
# error: line 2, column 13: HEALTHCHECK needs CMD and a command, or NONE
