# Waits for itself.
# expect: limit time
# expect: exception RuntimeError
# limits: timeMs=200
import threading
lock = threading.Lock()
lock.acquire()
lock.acquire()
