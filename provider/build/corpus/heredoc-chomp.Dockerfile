# sees: nothing
# args: none
FROM debian:12
RUN <<-EOF
		echo one
	echo two
	EOF
LABEL x=y
