# sees: nothing
# args: PORT
FROM scratch
ARG PORT=8080
EXPOSE $PORT 53/udp 9000-9010/tcp
