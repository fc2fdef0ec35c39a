# Prints without end.
# expect: limit output
# limits: outputBytes=100000
while True:
    print("escaped" * 100)
