# sees: *.json [a-c]?.txt src/**/*.rs
# args: none
FROM scratch
COPY *.json [a-c]?.txt src/**/*.rs /x/
