# sees: nothing
# args: none
FROM debian:12
HEALTHCHECK CMD curl --fail http://localhost/ || exit 1
