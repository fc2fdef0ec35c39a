# Never ends in a hash.
# expect: limit time
# limits: timeMs=200
class Slow:
    def __hash__(self):
        while True:
            pass
{Slow(): 1}
