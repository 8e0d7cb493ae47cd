# sees: a
# args: none
from scratch AS Base
copy a /a
From base as final
Label x=y
