# sees: a
# args: none
FROM scratch AS a
COPY a /
FROM a AS b
ENV X=1
FROM b AS c
LABEL y=$X
