# sees: nothing
# args: none
FROM golang:1.26
RUN --mount=type=cache,target=/go/pkg/mod,sharing=locked,uid=10,gid=10,mode=0755 --mount=type=tmpfs,target=/tmp,size=100m go build
