# Fills memory.
# expect: limit memory
# limits: memoryBytes=67108864
block = []
while True:
    block.append(bytearray(1 << 20))
