"""Machine learning with what `lean` has: logistic regression, its loss minimised by scipy."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit

# Will a customer stay? Made so that visits help and complaints harm.
random = np.random.default_rng(seed=3)
count = 400
customers = pd.DataFrame({
    "visits": random.poisson(6, count),
    "complaints": random.poisson(1, count),
    "age": random.integers(18, 80, count),
})
odds = -1.5 + 0.6 * customers["visits"] - 1.4 * customers["complaints"]
stays = random.random(count) < expit(odds)

scaled = (customers - customers.mean()) / customers.std()
inputs = np.column_stack([np.ones(count), scaled])
train = random.permutation(count) < 280


def loss(weights):
    """Mean cross-entropy on the training set, with a small penalty on large weights."""
    signs = np.where(stays[train], 1, -1)
    return np.logaddexp(0, -signs * (inputs[train] @ weights)).mean() + 0.001 * (weights[1:] ** 2).sum()


fit = minimize(loss, np.zeros(inputs.shape[1]))
predicted = inputs[~train] @ fit.x > 0
actual = stays[~train]

print("weights")
for name, weight in zip(["constant", *customers], fit.x):
    print(f"  {name:<12}{weight:+.2f}")
print(f"\naccuracy on {len(actual)} unseen customers: {(predicted == actual).mean():.1%}")
confusion = pd.crosstab(np.where(actual, "stayed", "left"), np.where(predicted, "to stay", "to leave"))
print(confusion.rename_axis(index=None, columns=None).add_prefix("predicted "))
