FROM debian 12
# error: line 1, column 6: FROM is followed by an image, or by an image, AS and a name
