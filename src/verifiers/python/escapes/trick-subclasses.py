# Searches the subclasses of object for a way out.
# expect: value False
# expect: exception InterpreterEnded
# expect: exception *
# query: found
found = False
for kind in object.__subclasses__():
    if kind.__name__ == "_wrap_close":
        found = kind.__init__.__globals__["system"]("true") == 0
