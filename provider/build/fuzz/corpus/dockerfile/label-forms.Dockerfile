# sees: nothing
# args: none
FROM scratch
LABEL a=b "c d"="e f" multi="one\
two"
LABEL old form
