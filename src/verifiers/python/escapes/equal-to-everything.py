# Returns an object that is equal to everything.
# expect: value opaque
# query: Equal()
# proof
class Equal:
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
