# Asks for all memory at once.
# expect: limit memory
block = [0] * 10**9
