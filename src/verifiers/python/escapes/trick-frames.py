# Climbs its frames into the runner.
# expect: value None
# expect: exception InterpreterEnded
# expect: exception *
import sys
frame = sys._getframe()
while frame:
    frame.f_globals["_dumps"] = None
    frame = frame.f_back
