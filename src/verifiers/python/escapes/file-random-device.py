# Reads the device of random numbers.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: value *
len(open("/dev/urandom", "rb").read(4))
