# Adds a hook that stops everything.
# expect: limit time
# expect: exception *
# expect: exception InterpreterEnded
# limits: timeMs=200
import sys
def hook(*given):
    while True:
        pass
sys.addaudithook(hook)
open("x")
