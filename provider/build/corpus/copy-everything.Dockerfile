# sees: everything
# args: none
FROM scratch
WORKDIR /app
COPY . .
