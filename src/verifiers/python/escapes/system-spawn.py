# Starts processes by multiprocessing.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception InterpreterEnded
# expect: exception ModuleNotFoundError ImportError
# expect: exception AttributeError ValueError
import multiprocessing
process = multiprocessing.get_context("fork").Process(target=print)
process.start()
