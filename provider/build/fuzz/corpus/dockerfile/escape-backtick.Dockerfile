# escape=`
# sees: a
# args: none
FROM scratch
COPY a `
  /a
ENV DIR=C:\windows QUOTED=`"x
