# sees: conf/prod
# args: none
FROM scratch
ENV KIND=prod
ENV DIR=conf/$KIND
COPY $DIR /conf/
