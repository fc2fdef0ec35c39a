# Opens below the library of Python.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
import os
os.open("/etc/shadow", os.O_RDONLY)
