# Prints without end, and catches what would end it.
# expect: limit output
# expect: limit time
# limits: outputBytes=100000 timeMs=500
while True:
    try:
        print("escaped" * 100)
    except BaseException:
        pass
