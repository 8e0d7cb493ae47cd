# sees: bin
# args: none
FROM scratch
COPY --chmod=u=rwX,go=rX bin /usr/local/bin/
