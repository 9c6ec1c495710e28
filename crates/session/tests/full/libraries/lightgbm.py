if HERE:
    import lightgbm
    import numpy as np

    x = np.random.default_rng(0).normal(size=(300, 3))
    model = lightgbm.LGBMClassifier(n_estimators=10, verbose=-1).fit(x, x[:, 0] > 0)
    assert model.score(x, x[:, 0] > 0) > 0.95
