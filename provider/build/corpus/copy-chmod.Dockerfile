# sees: bin
# args: none
FROM scratch
COPY --chmod=755 --chown=1000:1000 bin /usr/local/bin/
