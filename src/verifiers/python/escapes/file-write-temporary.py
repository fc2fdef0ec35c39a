# Writes where everybody may.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
import tempfile
tempfile.NamedTemporaryFile(delete=False).write(b"escaped")
