# Brings ctypes back and writes to memory.
# expect: exception ModuleNotFoundError ImportError
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception InterpreterEnded
# expect: exception KeyError AttributeError
# expect: value *
import sys
for name in ("_ctypes", "ctypes"):
    sys.modules.pop(name, None)
import ctypes
ctypes.memset(4096, 65, 1 << 20)
