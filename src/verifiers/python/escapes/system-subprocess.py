# Starts a program.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception InterpreterEnded
# expect: exception ModuleNotFoundError ImportError
# proof
import subprocess
subprocess.run(["/bin/sh", "-c", "true"], check=True)
