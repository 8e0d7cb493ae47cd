# sees: nothing
# args: none
FROM scratch
VOLUME /data /logs
VOLUME ["/with space", "/x"]
