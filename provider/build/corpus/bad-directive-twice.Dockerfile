# syntax=docker/dockerfile:1
# syntax=docker/dockerfile:1
FROM scratch
# error: line 2, column 1: directive `syntax` is there twice
