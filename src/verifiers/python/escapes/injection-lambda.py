# Hands over code.
# expect: exception NotData
# query: f <- lambda: 16
def f(x):
    return x() if callable(x) else x
