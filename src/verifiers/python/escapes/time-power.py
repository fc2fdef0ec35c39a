# Computes a number that nobody needs.
# expect: limit time
# expect: limit memory
# limits: timeMs=200
number = 7 ** (7 ** 9)
