# Returns what is small and unfolds without end.
# expect: limit output
# query: value
value = []
for _ in range(60):
    value = [value, value]
