"""Visualization: four views of one business in one picture, `dashboard.png`."""

import matplotlib

matplotlib.use("Agg")  # a cell has no display

import matplotlib.pyplot as plt
import numpy as np

blue, orange, grey, ink = "#2f6f9f", "#d9702a", "#b9c2c9", "#27313a"
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left",
                     "axes.titlesize": 12, "text.color": ink, "axes.labelcolor": ink, "axes.edgecolor": grey})
figure, ((quarters, days), (shares, visits)) = plt.subplots(2, 2, figsize=(11, 8))
random = np.random.default_rng(seed=2)

names, revenue = ["Q1", "Q2", "Q3", "Q4"], [120, 150, 180, 210]
drawn = quarters.bar(names, revenue, color=[grey, grey, grey, blue], width=0.65)
quarters.bar_label(drawn, padding=3)
quarters.set(title="Revenue by quarter, thousand euros", yticks=[], ylim=(0, 230))
quarters.spines["left"].set_visible(False)
quarters.tick_params(length=0)

day = np.arange(120)
orders = 40 + 0.15 * day + 8 * np.sin(2 * np.pi * day / 30) + random.normal(0, 3, len(day))
week = np.convolve(orders, np.ones(7) / 7, mode="valid")
days.plot(day, orders, color=grey, linewidth=1)
days.plot(day[3:-3], week, color=blue, linewidth=2.2)
days.annotate("7-day mean", (day[-23], week[-20]), (0, 14), textcoords="offset points", color=blue, ha="center")
days.set(title="Orders per day", xlabel="day", ylim=(0, 75))
days.margins(x=0)

products, share = ["Other", "Tea", "Filter", "Espresso"], np.array([15, 20, 30, 35])
drawn = shares.barh(products, share, color=[grey, grey, grey, blue], height=0.65)
shares.bar_label(drawn, [f"{value} %" for value in share], padding=4)
shares.set(title="Share of revenue", xticks=[])
shares.spines[["bottom", "left"]].set_visible(False)
shares.tick_params(length=0)

visitors = random.normal(50, 10, 200)
sales = 1.5 * visitors + random.normal(0, 12, 200)
slope, offset = np.polyfit(visitors, sales, 1)
correlation = np.corrcoef(visitors, sales)[0, 1]
ends = np.array([visitors.min(), visitors.max()])
visits.scatter(visitors, sales, s=16, color=blue, alpha=0.45, linewidth=0)
visits.plot(ends, slope * ends + offset, color=orange, linewidth=2)
visits.set(title=f"Each visitor brings {slope:.2f} sales (r = {correlation:.2f})", xlabel="visitors per hour",
           ylabel="sales per hour")

figure.tight_layout(pad=1.6, w_pad=3, h_pad=3)
plt.savefig("dashboard.png", dpi=150)
plt.close(figure)

print(f"year: {sum(revenue)} thousand euros, last quarter {revenue[-1] / revenue[0] - 1:+.0%} on the first")
print(f"visitors and sales: slope {slope:.2f}, r = {correlation:.2f}")
print("Dashboard: dashboard.png")
