# Reads the requests of its host.
# expect: value None
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception InterpreterEnded
import os
data = os.read(0, 100)
if data:
    raise SystemError("escaped")
