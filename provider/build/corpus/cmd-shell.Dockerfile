# sees: nothing
# args: none
FROM scratch
CMD exec /app --port "$PORT"
