# syntax=docker/dockerfile:1.20
# check=skip=all
# sees: a
# args: none
FROM scratch
COPY a /
