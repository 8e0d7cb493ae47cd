FROM scratch
COPY a <<EOF
EOF
# error: line 2, column 6: COPY cannot have a here-document as its destination
