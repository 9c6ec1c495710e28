from shapely import Point, Polygon

circle = Point(0, 0).buffer(1, quad_segs=64)
square = Polygon([(0, 0), (1, 0), (1, 1), (0, 1)])
assert abs(circle.intersection(square).area - 3.14159 / 4) < 0.001
