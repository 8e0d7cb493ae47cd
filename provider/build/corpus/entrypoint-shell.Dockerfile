# sees: nothing
# args: none
FROM debian:12
ENTRYPOINT /app --x
ENTRYPOINT []
