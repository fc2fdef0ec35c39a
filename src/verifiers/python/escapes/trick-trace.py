# Sets a trace that never ends.
# expect: limit time
# limits: timeMs=200
import sys
def trace(*given):
    while True:
        pass
sys.settrace(trace)
(lambda: 1)()
