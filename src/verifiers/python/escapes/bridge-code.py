# Runs JavaScript.
# expect: exception ModuleNotFoundError ImportError
from pyodide.code import run_js
run_js("process.exit(0)")
