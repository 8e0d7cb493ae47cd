# sees: nothing
# args: none
FROM debian:12
RUN ["/bin/bash", "-c", "echo hello"]
