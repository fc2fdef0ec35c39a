# Calls a function of the C library.
# expect: exception ModuleNotFoundError ImportError
# expect: value None
# proof
import ctypes
if ctypes.CDLL(None).system(b"true") == 0:
    raise SystemError("escaped")
