# sees: nothing
# args: none
FROM --platform=linux/arm64 debian:12 AS arm
FROM arm
