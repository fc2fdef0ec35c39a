# Ends itself by a signal.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception InterpreterEnded
# expect: exception AttributeError ProcessLookupError
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
raise SystemError("not ended")
