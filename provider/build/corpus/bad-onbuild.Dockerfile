FROM scratch
ONBUILD FROM x
# error: line 2, column 9: ONBUILD takes any instruction but ONBUILD, MAINTAINER and FROM
