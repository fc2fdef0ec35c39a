# Calls a class that the program imported and that reaches attributes.
# expect: exception NotData
# query: f <- max([1], key=methodcaller("__class__"))
from operator import methodcaller
def f(x):
    return x
