# Reaches for the globals.
# expect: exception NotData
# query: f <- (globals().update(f=1), 4)[1]
def f(x):
    return x * x
