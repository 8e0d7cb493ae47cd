# sees: a
# args: none
FROM scratch
COPY ../../a /a
COPY /a /b
COPY ./a /c
