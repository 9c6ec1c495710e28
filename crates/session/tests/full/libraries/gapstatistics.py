import numpy as np
from gapstatistics.gapstatistics import GapStatistics

rng = np.random.default_rng(0)
points = np.concatenate([rng.normal(center, 0.1, size=(30, 2)) for center in (0, 5, 10)])
assert GapStatistics().fit_predict(K=5, X=points) == 3
