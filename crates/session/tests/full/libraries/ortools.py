from ortools.linear_solver import pywraplp
from ortools.sat.python import cp_model

model = cp_model.CpModel()
x, y = model.new_int_var(0, 10, "x"), model.new_int_var(0, 10, "y")
model.add(2 * x + 3 * y <= 17)
model.maximize(x + 2 * y)
solver = cp_model.CpSolver()
assert solver.solve(model) == cp_model.OPTIMAL and solver.objective_value == 11
assert pywraplp.Solver.CreateSolver("GLOP") is not None
