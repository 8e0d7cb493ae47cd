# escape=x
FROM scratch
# error: line 1, column 1: directive `escape` is neither \ nor `
