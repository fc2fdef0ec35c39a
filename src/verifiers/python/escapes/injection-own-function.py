# Calls a function of the program.
# expect: exception NotData
# query: f <- add(12) and 4
total = 0
def add(n):
    global total
    total += n
    return n
def f(x):
    return total + x
