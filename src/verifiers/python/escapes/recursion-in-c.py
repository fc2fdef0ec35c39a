# Recurses inside C.
# expect: exception RecursionError
# expect: exception InterpreterEnded
class Deep:
    def __repr__(self):
        return repr(self)
repr(Deep())
