# sees: app.tar.gz
# args: none
FROM scratch
ADD --unpack=false app.tar.gz /archives/
