FROM scratch
COPY \
  --chmode=755 a /
# error: line 3, column 3: COPY has no flag `--chmode`; did you mean `--chmod`?
