# Never ends in a comparison.
# expect: limit time
# limits: timeMs=200
class Slow:
    def __eq__(self, other):
        while True:
            pass
Slow() == 1
