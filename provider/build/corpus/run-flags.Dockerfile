# sees: nothing
# args: none
FROM debian:12
RUN --network=none --security=sandbox make
RUN --network=host --device=vendor.com/class=device,required make
