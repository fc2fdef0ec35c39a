# Writes a file.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# proof
open("escaped.txt", "w").write("escaped")
