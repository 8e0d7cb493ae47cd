# sees: nothing
# args: none
FROM scratch
COPY --from=busybox:1.37 /bin/busybox /bin/busybox
