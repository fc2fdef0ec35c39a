# Makes a built-in module by hand.
# expect: exception ModuleNotFoundError ImportError
# expect: exception InterpreterEnded
# expect: exception AttributeError
import _imp, importlib.machinery
spec = importlib.machinery.ModuleSpec("_pyodide_core", importlib.machinery.BuiltinImporter)
module = _imp.create_builtin(spec)
_imp.exec_builtin(module)
module.run_js
