FROM scratch
COPY --link=maybe a /
# error: line 2, column 6: flag `--link` is neither true nor false
