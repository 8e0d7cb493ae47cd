# sees: a
# args: none
FROM scratch
COPY a \
  /a
ENV A=1
