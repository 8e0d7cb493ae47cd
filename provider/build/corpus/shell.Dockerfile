# sees: nothing
# args: none
FROM debian:12
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN false | true
