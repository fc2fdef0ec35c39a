# Never ends, and catches what would end it.
# expect: limit time
# limits: timeMs=200
while True:
    try:
        while True:
            pass
    except BaseException:
        continue
    finally:
        pass
