from scipy import integrate, optimize, stats

assert abs(optimize.brentq(lambda x: x**2 - 2, 0, 2) - 2**0.5) < 1e-9
assert abs(integrate.quad(lambda x: x**2, 0, 3)[0] - 9) < 1e-9
assert stats.ttest_ind([1, 2, 3, 4], [11, 12, 13, 14]).pvalue < 0.001
