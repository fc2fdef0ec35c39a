# Asks to be woken, and ignores it.
# expect: exception InterpreterEnded
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception AttributeError itimer_error
# expect: limit time
# expect: value None
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
if hasattr(signal, "setitimer"):
    signal.setitimer(signal.ITIMER_REAL, 0.01)
for _ in range(10**6):
    pass
