# Reads from nowhere.
# expect: exception ModuleNotFoundError ImportError
# expect: exception InterpreterEnded
# expect: exception KeyError
# expect: value *
import sys
for name in ("_ctypes", "ctypes"):
    sys.modules.pop(name, None)
import ctypes
ctypes.string_at(1 << 31, 8)
