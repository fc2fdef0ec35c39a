# Forks without end.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception InterpreterEnded
# expect: exception AttributeError
import os
while True:
    os.fork()
