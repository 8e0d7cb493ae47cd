# sees: inner outer
# args: none
FROM scratch AS parent
ONBUILD COPY inner /inner
ONBUILD ENV A=1
ONBUILD RUN <<EOF
make
EOF
FROM parent
COPY outer /outer
