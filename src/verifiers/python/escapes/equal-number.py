# Returns a number that says it is equal.
# expect: value opaque
# query: Equal(3)
class Equal(int):
    def __eq__(self, other):
        return True
    __hash__ = int.__hash__
