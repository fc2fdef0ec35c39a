# Gives a variable of a comprehension the name of what it wants to call.
# expect: exception NotData
# query: f <- ([0 for eval in [1]], [0 for exec in [1]], exec("f.__globals__['helper'] = lambda x: 99"), 3)[3]
def helper(x):
    return x
def f(x):
    return helper(x)
