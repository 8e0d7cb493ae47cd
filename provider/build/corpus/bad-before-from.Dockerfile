RUN make
FROM scratch
# error: line 1, column 1: RUN comes before the first FROM; only ARG may
