# Aborts.
# expect: exception InterpreterEnded
# proof
import os
os.abort()
