# sees: everything
# args: *
FROM node:onbuild
EXPOSE 80
