# sees: nothing
# args: UID
FROM debian:12
ARG UID=1000
USER $UID:staff
USER root
