# sees: app.tar.gz
# args: none
FROM scratch
ADD app.tar.gz /app/
