# Lists folders of the host.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: value []
# query: found
import os
found = [name for name in ("boot", "etc", "proc", "var") if os.path.isdir("/" + name) and os.listdir("/" + name)]
