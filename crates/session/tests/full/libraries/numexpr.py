import numexpr
import numpy as np

a = np.arange(100_000.0)
assert np.array_equal(numexpr.evaluate("2 * a + 1"), 2 * a + 1)
