FROM scratch
COPY a
# error: line 2, column 6: COPY needs a source and a destination
