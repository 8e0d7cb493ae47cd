# sees: nothing
# args: none
FROM scratch
ADD --keep-git-dir=true https://example.com/repository.git#v1.2.3 /src
