import matplotlib.pyplot as plt

plt.bar(["a", "b"], [1, 2])
plt.title("two bars")
plt.savefig("bars.png", dpi=50)
plt.close()
assert plt.imread("bars.png").shape == (240, 320, 4)
