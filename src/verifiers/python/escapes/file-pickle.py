# Opens a file by unpickling.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
import pickle
pickle.loads(b"cbuiltins\nopen\n(S'/etc/passwd'\ntR.")
