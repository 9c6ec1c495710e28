import numpy as np
import statsmodels.api as sm
import statsmodels.formula.api as smf
import pandas as pd

x = np.linspace(0, 1, 50)
frame = pd.DataFrame({"x": x, "y": 3 * x + 1 + 0.01 * np.sin(40 * x)})
assert np.allclose(smf.ols("y ~ x", frame).fit().params, [1, 3], atol=0.01)
assert sm.tsa.stattools.adfuller(np.random.default_rng(0).normal(size=200))[1] < 0.05
