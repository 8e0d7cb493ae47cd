# sees: nothing
# args: none
FROM debian:12
HEALTHCHECK NONE
