# sees: config
# args: none
FROM scratch
ADD --link --chown=10:20 --chmod=0640 config /etc/app/
