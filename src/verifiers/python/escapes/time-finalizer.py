# Never ends when it is thrown away.
# expect: limit time
# limits: timeMs=200
class Slow:
    def __del__(self):
        while True:
            pass
slow = Slow()
del slow
