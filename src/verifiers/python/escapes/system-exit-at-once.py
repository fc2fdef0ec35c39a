# Ends its process without a word.
# expect: exception InterpreterEnded
# proof
import os
os._exit(0)
