# Imports what Pyodide offers.
# expect: exception ModuleNotFoundError ImportError
import pyodide_js
pyodide_js.FS.mount
