# Nests deeper than the parser goes.
# expect: exception SyntaxError RecursionError MemoryError
# expect: exception InterpreterEnded
# expect: limit memory
eval("(" * 100000 + ")" * 100000)
