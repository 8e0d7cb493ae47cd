# sees: nothing
# args: none
FROM scratch
RUN one && \

  two && \
   
  three
