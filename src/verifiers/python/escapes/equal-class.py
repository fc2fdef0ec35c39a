# Lies about its class.
# expect: value opaque
# query: Equal()
class Equal:
    @property
    def __class__(self):
        return int
