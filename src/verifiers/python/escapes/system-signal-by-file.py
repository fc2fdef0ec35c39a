# Has a pipe send a signal to whoever watches.
# expect: value 'refused'
# expect: exception OSError
# expect: exception InterpreterEnded
# query: outcome
import fcntl, os
try:
    for number in (0, 1, 2, 3):
        fcntl.fcntl(number, 8, 1)
        fcntl.fcntl(number, 10, 9)
        fcntl.fcntl(number, 4, 0o20000 | 0o4000)
    outcome = "sent"
except PermissionError:
    outcome = "refused"
