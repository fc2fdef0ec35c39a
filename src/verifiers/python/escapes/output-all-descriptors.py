# Writes its own answer to every file that is open.
# expect: value None
# expect: value *
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception InterpreterEnded
# expect: exception BrokenPipeError
import os
for number in range(3, 64):
    try:
        os.write(number, b"{\"kind\": \"error\"}\n")
    except OSError:
        pass
