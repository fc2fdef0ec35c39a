# Runs bytes that are no code.
# expect: exception InterpreterEnded
# expect: exception SystemError MemoryError RuntimeError ValueError UnboundLocalError NameError
# expect: value *
# expect: limit memory
# expect: limit time
# limits: timeMs=500
def f():
    return 1
f.__code__ = f.__code__.replace(co_code=bytes([250, 255]) * 40)
f()
