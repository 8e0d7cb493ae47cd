FROM scratch
COPY --chown=10 --chown=20 a /
# error: line 2, column 17: flag `--chown` is given twice
