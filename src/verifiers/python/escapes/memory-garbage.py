# Makes garbage in circles.
# expect: limit time
# limits: timeMs=200
while True:
    circle = []
    circle.append(circle)
