# sees: a b|c d
# args: none
FROM scratch
COPY ["a b", "c d", "/with spaces/"]
