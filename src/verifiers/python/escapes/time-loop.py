# Never ends.
# expect: limit time
# limits: timeMs=200
while True:
    pass
