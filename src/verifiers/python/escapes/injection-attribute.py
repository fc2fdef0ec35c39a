# Reaches for attributes.
# expect: exception NotData
# query: f <- ().__class__
def f(x):
    return x
