# Brings back the module beneath the bridge.
# expect: exception ModuleNotFoundError ImportError
# expect: exception InterpreterEnded
# expect: exception KeyError
# proof
import sys
del sys.modules["_pyodide_core"]
import _pyodide_core
