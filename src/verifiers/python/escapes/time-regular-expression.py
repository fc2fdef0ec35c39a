# Matches for ever.
# expect: limit time
# limits: timeMs=200
import re
re.match(r"(a+)+$", "a" * 40 + "b")
