# sees: lib-1 x y
# args: E V
FROM scratch
ARG V=1.2.3 E=
COPY ${E:-x} ${NONE-y} lib-${V%%.*}${NONE:+z} /x/
