# Calls itself for ever.
# expect: exception RecursionError
# proof
def f(n):
    return f(n + 1)
f(0)
