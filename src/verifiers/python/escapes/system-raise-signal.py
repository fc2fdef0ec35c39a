# Raises a signal.
# expect: exception InterpreterEnded
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception KeyboardInterrupt
# expect: value None
import signal
signal.raise_signal(signal.SIGTERM)
