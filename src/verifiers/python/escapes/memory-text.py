# Doubles a text.
# expect: limit memory
# limits: memoryBytes=67108864
text = "a"
while True:
    text += text
