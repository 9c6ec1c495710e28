import numpy as np
from imblearn.over_sampling import SMOTE

rng = np.random.default_rng(0)
x, y = rng.normal(size=(60, 2)), np.array([0] * 50 + [1] * 10)
assert np.bincount(SMOTE(random_state=0).fit_resample(x, y)[1]).tolist() == [50, 50]
