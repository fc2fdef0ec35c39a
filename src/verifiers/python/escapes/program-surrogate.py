# Holds half a character.
# expect: exception UnicodeEncodeError SyntaxError
eval("'\ud800'")
exec("\ud800 = 1")
