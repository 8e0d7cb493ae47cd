# sees: go.mod main.go
# args: none
FROM golang:1.26
COPY go.mod main.go ./
FROM scratch
COPY --from=0 /go/app /app
