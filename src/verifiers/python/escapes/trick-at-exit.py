# Leaves work for the end.
# expect: value None
import atexit
atexit.register(lambda: open("escaped", "w"))
