# Assigns inside the call.
# expect: exception NotData SyntaxError
# query: f <- (g := 4)
def g(x):
    return x
def f(x):
    return g(x)
