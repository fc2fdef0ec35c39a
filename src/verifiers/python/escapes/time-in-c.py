# Never ends inside C.
# expect: limit time
# limits: timeMs=200
import collections, itertools
collections.deque(itertools.repeat(0), maxlen=0)
