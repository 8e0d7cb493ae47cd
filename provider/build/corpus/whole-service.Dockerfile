# syntax=docker/dockerfile:1
# sees: cmd go.mod go.sum internal web/package-lock.json web/package.json web/src
# args: GO TARGETARCH TARGETOS
ARG GO=1.26
FROM --platform=$BUILDPLATFORM golang:${GO} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY cmd cmd
COPY internal internal
ARG TARGETOS
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build <<EOF
set -e
GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -o /out/app ./cmd/app
EOF

FROM node:24 AS web
WORKDIR /web
COPY web/package.json web/package-lock.json ./
RUN npm ci
COPY web/src ./src
RUN npm run build

FROM gcr.io/distroless/static:nonroot
COPY --link --from=build /out/app /app
COPY --link --from=web --chmod=0644 /web/dist /static
USER nonroot
EXPOSE 8080
HEALTHCHECK CMD ["/app", "health"]
ENTRYPOINT ["/app"]
