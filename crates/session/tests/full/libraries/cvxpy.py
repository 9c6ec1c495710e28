import cvxpy as cp

x = cp.Variable(2)
problem = cp.Problem(cp.Minimize(cp.sum_squares(x)), [x[0] + x[1] == 2])
assert abs(problem.solve() - 2) < 1e-5 and abs(x.value[0] - 1) < 1e-5
