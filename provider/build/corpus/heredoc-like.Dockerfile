# sees: nothing
# args: none
FROM debian:12
RUN echo $((1<<2)) "<<EOF"
RUN cat <<< word
ENV X=<<EOF
