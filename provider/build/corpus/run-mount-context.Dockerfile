# sees: everything
# args: none
FROM golang:1.26
RUN --mount=target=/src,rw cd /src && go build
