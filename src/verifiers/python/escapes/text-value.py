# Returns a huge text.
# expect: limit output
# query: text
text = "a" * 20_000_000
