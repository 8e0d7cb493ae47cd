# sees: nothing
# args: NAME
FROM scratch
ARG NAME=web
COPY <<EOF <<"plain.txt" /etc/app/
name=$NAME
EOF
$NAME stays
plain.txt
