FROM scratch
COPY --from a /
# error: line 2, column 6: flag `--from` has no value
