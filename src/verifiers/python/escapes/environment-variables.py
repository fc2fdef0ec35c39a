# Looks for secrets in the environment.
# expect: value []
# query: found
# proof
import os
known = {"HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "PWD", "PYTHONHASHSEED", "PYTHONINSPECT", "PYTHONUTF8", "TZ", "USER", "_"}
found = sorted(set(os.environ) - known)
