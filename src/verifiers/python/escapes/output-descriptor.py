# Writes to the files beneath the output.
# expect: value None
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# proof
import os
for number in (1, 2):
    os.write(number, b"{\"kind\": \"value\", \"value\": 1}\n" * 3)
