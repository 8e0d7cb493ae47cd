# sees: docs/*.md src/lib
# args: none
FROM scratch
COPY --parents src/./lib docs/*.md /x/
