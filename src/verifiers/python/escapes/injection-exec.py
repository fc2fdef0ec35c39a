# Changes the program that judges it.
# expect: exception NotData
# query: f <- exec("f = 1")
def f(x):
    return x * x
