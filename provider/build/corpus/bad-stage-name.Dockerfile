FROM scratch AS 1st
# error: line 1, column 17: `1st` is no name of a stage: a letter, then letters, digits, `-`, `_` and `.`
