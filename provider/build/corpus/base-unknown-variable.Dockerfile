# sees: everything
# args: none
FROM python:3.13
COPY $APP_SOURCES /app/
