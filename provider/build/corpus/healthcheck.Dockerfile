# sees: nothing
# args: none
FROM scratch
HEALTHCHECK --interval=30s --timeout=2.5s --start-period=1m --start-interval=500ms --retries=3 CMD ["/app", "health"]
