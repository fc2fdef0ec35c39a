# Prints a huge number.
# expect: limit output
# expect: exception ValueError
# expect: limit time
# limits: outputBytes=10000 timeMs=2000
import sys
sys.set_int_max_str_digits(0)
print(10**200000)
