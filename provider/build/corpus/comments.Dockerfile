# sees: a b
# args: none
# first

  # indented
FROM scratch
COPY \
  # the first
  a \
  # the second
  b \
  /x/
