# Calls itself for ever, without a limit.
# expect: exception RecursionError
# expect: limit memory
# expect: limit time
# expect: exception InterpreterEnded
# limits: timeMs=2000
import sys
sys.setrecursionlimit(10**9)
def f(n):
    return f(n + 1)
f(0)
