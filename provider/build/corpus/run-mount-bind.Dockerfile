# sees: go.mod go.sum
# args: none
FROM golang:1.26
RUN --mount=type=bind,source=go.mod,target=go.mod --mount=type=bind,source=go.sum,target=go.sum go mod download -x
