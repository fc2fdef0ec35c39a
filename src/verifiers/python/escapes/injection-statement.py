# Ends the line.
# expect: exception SyntaxError NotData
# query: f <- 5); print(16
def f(x):
    return x * x
