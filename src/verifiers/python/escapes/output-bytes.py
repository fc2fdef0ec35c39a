# Prints bytes that are no text.
# expect: value None
import sys
sys.stdout.buffer.write(b"\xff\xfe\x00")
