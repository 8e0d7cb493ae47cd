# sees: nothing
# args: none
FROM scratch
ENTRYPOINT ["/app"]
CMD ["--help"]
