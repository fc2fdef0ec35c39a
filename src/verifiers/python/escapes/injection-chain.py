# Closes the call and calls again.
# expect: exception NotData
# query: f <- 5).__class__(16
def f(x):
    return x * x
