# sees: services/web
# args: SERVICE
FROM scratch
ARG SERVICE=web
COPY services/${SERVICE} /app/
