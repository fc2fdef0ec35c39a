# Prints half a character.
# expect: value None
print("\ud800")
