# Closes the call and goes on.
# expect: exception NotData
# query: f <- 5) or (True
def f(x):
    return x * x
