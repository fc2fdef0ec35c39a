# Reads a file of the host.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# proof
open("/etc/passwd").read()
