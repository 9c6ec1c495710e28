"""Second call: each day's worst air by room, as `daily`, and a chart of it."""

import matplotlib.pyplot as plt

day = readings["time"].dt.date
daily = readings.pivot_table(index=day, columns="room", values="co2_ppm", aggfunc="max").astype(int)
print(daily.rename_axis(index=None, columns=None))

figure, axes = plt.subplots(figsize=(8, 4.2))
for room, worst in daily.items():
    over = worst.max() > 1000
    axes.plot(range(len(daily)), worst, linewidth=2.4 if over else 1.6, color="#c8501e" if over else "#9aa5ae")
    axes.annotate(room, (len(daily) - 1, worst.iloc[-1]), (8, 0), textcoords="offset points", va="center")
axes.axhline(1000, color="#27313a", linewidth=0.8, linestyle="--")
axes.annotate("stale: 1000 ppm", (len(daily) - 1, 1000), (0, 5), textcoords="offset points", ha="right")
axes.set_xticks(range(len(daily)), [f"{date:%a}" for date in daily.index])
axes.set_title("Highest CO₂ of the day, ppm", loc="left")
axes.set_ylim(0)
axes.spines[["top", "right"]].set_visible(False)
figure.tight_layout()
plt.savefig("daily.png", dpi=150)
plt.close(figure)
