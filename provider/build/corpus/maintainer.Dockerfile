# sees: nothing
# args: none
FROM scratch
MAINTAINER Somebody <somebody@example.com>
