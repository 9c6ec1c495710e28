import constraint

problem = constraint.Problem()
problem.addVariables("ab", [1, 2, 3])
problem.addConstraint(lambda a, b: a * 2 == b, "ab")
assert problem.getSolutions() == [{"a": 1, "b": 2}]
