# Links to a file outside.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
import os
os.symlink("/etc/passwd", "passwd")
open("passwd").read()
