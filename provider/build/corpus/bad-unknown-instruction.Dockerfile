FROM scratch
ENV A=1
CPOY a /
# error: line 3, column 1: unknown instruction `CPOY`; did you mean COPY?
