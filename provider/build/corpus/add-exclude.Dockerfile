# sees: docs
# args: none
FROM scratch
ADD --exclude=*.md --exclude=drafts/** docs /docs/
