import sympy

x = sympy.Symbol("x")
assert sympy.solve(x**2 - 5 * x + 6, x) == [2, 3]
assert sympy.integrate(sympy.sin(x), (x, 0, sympy.pi)) == 2
