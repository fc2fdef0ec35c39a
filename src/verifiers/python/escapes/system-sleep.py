# Sleeps longer than it may.
# expect: limit time
# expect: value None
# limits: timeMs=200
import time
time.sleep(1e6)
