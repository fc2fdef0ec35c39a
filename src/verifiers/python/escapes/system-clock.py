# Waits by looking at the clock.
# expect: limit time
# expect: exception AssertionError
# expect: value None
# limits: timeMs=200
import time
start = time.time()
while time.time() < start + 1e9:
    pass
