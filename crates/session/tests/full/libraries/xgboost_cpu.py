import numpy as np
import xgboost

x = np.random.default_rng(0).normal(size=(200, 3))
model = xgboost.XGBClassifier(n_estimators=10).fit(x, (x[:, 0] > 0).astype(int))
assert model.score(x, (x[:, 0] > 0).astype(int)) > 0.95
