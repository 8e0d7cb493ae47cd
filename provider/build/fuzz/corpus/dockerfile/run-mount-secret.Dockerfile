# sees: nothing
# args: none
FROM debian:12
RUN --mount=type=secret,id=token,env=TOKEN,required=true --mount=type=ssh,id=default,mode=0600 "--mount=type=secret,id=a,target=/a b" deploy
