# Reads its own memory through the process file system.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
open("/proc/self/mem", "rb").read(1)
