# sees: nothing
# args: none
FROM scratch
CMD ["/app", "--port", "8080"]
