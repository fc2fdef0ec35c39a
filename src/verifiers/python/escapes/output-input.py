# Reads what was meant for its host.
# expect: exception EOFError
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
input()
