# Removes its own library.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
import os, sys
last = None
for path in sys.path:
    if path:
        os.remove(path)
