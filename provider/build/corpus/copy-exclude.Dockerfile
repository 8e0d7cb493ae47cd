# sees: src
# args: none
FROM scratch
COPY --exclude=**/*_test.go --exclude=testdata src /src/
