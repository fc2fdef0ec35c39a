# Returns what is nested too deeply.
# expect: value opaque
# expect: exception RecursionError
# query: value
value = []
for _ in range(100000):
    value = [value]
