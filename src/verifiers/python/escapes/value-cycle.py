# Returns what holds itself.
# expect: value cycle
# query: value
value = []
value.append({"again": value})
