# Becomes another program.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception InterpreterEnded
# expect: exception AttributeError
import os
os.execv("/bin/sh", ["sh", "-c", "true"])
