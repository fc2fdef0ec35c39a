# Kills everything.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception InterpreterEnded
# expect: exception AttributeError ProcessLookupError
import os, signal
os.kill(-1, signal.SIGKILL)
raise SystemError("escaped")
