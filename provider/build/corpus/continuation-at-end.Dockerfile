# sees: nothing
# args: none
FROM scratch
RUN make && \
