FROM scratch
CMD ["a", 1]
# error: line 2, column 5: `1` is no text, as all of a list have to be
