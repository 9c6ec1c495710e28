import numpy as np

matrix = np.array([[2.0, 1.0], [1.0, 3.0]])
assert np.allclose(np.linalg.solve(matrix, [3, 5]), [0.8, 1.4])
