# Takes constants from outside its tuple.
# expect: exception InterpreterEnded
# expect: exception SystemError
# expect: value *
# expect: limit time
# limits: timeMs=500
def f():
    return 12345678901
f.__code__ = f.__code__.replace(co_consts=())
f()
