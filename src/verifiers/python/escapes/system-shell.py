# Runs a shell.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception InterpreterEnded
# expect: exception AttributeError
# expect: value -1
# expect: value 32512
# query: code
# proof
import os
code = os.system("true")
