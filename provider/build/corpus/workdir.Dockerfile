# sees: a
# args: none
FROM scratch
WORKDIR /srv
WORKDIR app
ENV DIR=deep
WORKDIR $DIR/er
COPY a .
