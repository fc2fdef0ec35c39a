# Raises its limits.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception ModuleNotFoundError ImportError
# expect: exception InterpreterEnded
# expect: exception AttributeError ValueError
import resource
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
resource.setrlimit(resource.RLIMIT_NOFILE, (10**6, 10**6))
