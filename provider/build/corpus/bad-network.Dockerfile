FROM scratch
RUN --network=bridge make
# error: line 2, column 5: `bridge` is no network: default, none or host
