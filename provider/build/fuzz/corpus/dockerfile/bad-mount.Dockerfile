FROM scratch
RUN --mount=type=bind,\"x make
# error: line 2, column 5: `type=bind,"x` is no list of fields: a quote is not closed
