# sees: app
# args: none
FROM debian:12
COPY --link app /app
COPY --link=false app /again
