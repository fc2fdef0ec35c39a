# Holds a null byte.
# expect: exception SyntaxError ValueError
x = eval("1\0")
