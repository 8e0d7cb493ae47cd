# sees: nothing
# args: none
FROM python:3.13
RUN <<EOF python3
print("<<NOT")
EOF
RUN cat <<A >/a && cat <<B >/b
one
A
two
B
