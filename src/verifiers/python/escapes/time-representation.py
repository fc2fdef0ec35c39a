# Never ends where an exception is described.
# expect: limit time
# limits: timeMs=200
class Slow(Exception):
    def __str__(self):
        while True:
            pass
raise Slow()
