# Walks up and reads.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
import os
os.chdir("../../../../..")
open("etc/passwd").read()
