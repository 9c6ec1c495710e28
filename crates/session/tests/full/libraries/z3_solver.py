import z3

x, y = z3.Ints("x y")
solver = z3.Solver()
solver.add(x > 2, y < 10, x + 2 * y == 7)
assert solver.check() == z3.sat and solver.model().eval(x + 2 * y).as_long() == 7
