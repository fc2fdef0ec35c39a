# Returns a huge number.
# expect: limit output
# query: number
number = 1 << 10_000_000
