# sees: grün
# args: none
FROM scratch
ENV NAME="Grüße 👋"
COPY grün /grün
LABEL é=è
