# sees: tool
# args: none
FROM scratch AS tools
COPY tool /tool
FROM debian:12
RUN --mount=from=tools,target=/tools,ro --mount=from=busybox,src=/bin,dst=/bb /tools/tool
