import pulp

problem = pulp.LpProblem("diet", pulp.LpMaximize)
x, y = pulp.LpVariable("x", 0, 4), pulp.LpVariable("y", 0, 3)
problem += 2 * x + 3 * y
problem += x + y <= 5
problem.solve(pulp.PULP_CBC_CMD(msg=False))
assert pulp.LpStatus[problem.status] == "Optimal" and pulp.value(problem.objective) == 13
