# Kills who started it.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception InterpreterEnded
# expect: exception AttributeError ProcessLookupError
# proof
import os, signal
os.kill(os.getppid(), signal.SIGKILL)
raise SystemError("escaped")
