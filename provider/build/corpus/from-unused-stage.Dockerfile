# sees: used
# args: none
FROM node:24 AS unused
COPY unused /
RUN npm ci
FROM scratch AS used
COPY used /
