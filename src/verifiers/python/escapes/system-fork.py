# Forks.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception InterpreterEnded
# expect: exception AttributeError
# proof
import os
if os.fork() == 0:
    os._exit(0)
