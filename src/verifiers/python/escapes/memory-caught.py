# Fills memory and goes on.
# expect: limit memory
# expect: limit time
# expect: value True
# query: is_full
# limits: memoryBytes=67108864
block, is_full = [], False
try:
    while True:
        block.append(bytearray(1 << 20))
except MemoryError:
    is_full = True
    block.clear()
