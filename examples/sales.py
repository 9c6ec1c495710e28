"""Two years of a coffee roaster's sales (invented): clean them, sum them up, draw them.

    cellblock run examples/sales.py
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

# Load and clean. A missing count is taken from the months around it.
raw = pd.read_csv("sales.csv", parse_dates=["month"])
sales = raw.drop_duplicates().copy()
sales["region"] = sales["region"].str.strip().str.capitalize()
missing = sales["units"].isna().sum()
series = sales.sort_values("month").groupby(["region", "product"])["units"]
sales["units"] = series.transform(lambda units: units.interpolate().round())
sales["revenue"] = sales["units"] * sales["price_eur"]
sales["year"] = sales["month"].dt.year

print(f"{len(raw)} rows, {raw['month'].min():%B %Y} to {raw['month'].max():%B %Y}")
print(f"cleaned: {len(raw) - len(sales)} duplicate dropped,", end=" ")
print(f"{(raw['region'] != raw['region'].str.strip().str.capitalize()).sum()} regions respelled,", end=" ")
print(f"{missing} missing counts interpolated")


def by_year(column):
    """Revenue per year in thousand euros, with growth and the share of the last year."""
    table = sales.pivot_table(index=column, columns="year", values="revenue", aggfunc="sum") / 1000
    table = table.sort_values(2025, ascending=False)
    table.loc["Total"] = table.sum()
    table["growth"] = table[2025] / table[2024] - 1
    table["share"] = table[2025] / table.loc["Total", 2025]
    return table.rename_axis(columns=None)


formats = {2024: "{:,.0f}".format, 2025: "{:,.0f}".format, "growth": "{:+.1%}".format, "share": "{:.1%}".format}
products, regions = by_year("product"), by_year("region")
for table in products, regions:
    print(f"\nRevenue by {table.index.name}, thousand euros")
    print(table.rename_axis(None).to_string(formatters=formats, col_space=10))

monthly = sales.pivot_table(index="month", columns="product", values="revenue", aggfunc="sum") / 1000
total = monthly.sum(axis=1)
print(f"\nBest month: {total.idxmax():%B %Y}, {total.max():,.0f} thousand euros;", end=" ")
print(f"weakest: {total.idxmin():%B %Y}, {total.min():,.0f}")

# Draw: the fastest product stands out, each line carries its name, and growth by region stands beside.
accent, quiet, ink = "#c8501e", "#9aa5ae", "#27313a"
plt.rcParams.update({"font.size": 10, "text.color": ink, "axes.spines.top": False, "axes.spines.right": False,
                     "xtick.color": ink, "ytick.color": ink, "axes.edgecolor": quiet})
figure, (lines, bars) = plt.subplots(1, 2, figsize=(11, 5.5), width_ratios=[2.6, 1])

growth = products["growth"].drop("Total")
fastest = growth.idxmax()
last, height = monthly.iloc[-1].sort_values(), 0
for product, value in last.items():
    color, width, text = (accent, 2.8, accent) if product == fastest else (quiet, 1.6, ink)
    lines.plot(monthly.index, monthly[product], color=color, linewidth=width)
    height = max(value, height + 2.2)  # names that would touch move up
    lines.annotate(product, (last.name, height), (7, 0), textcoords="offset points", va="center", color=text)
lines.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator(minticks=6)))
lines.set_title("Revenue per month, thousand euros", loc="left")
lines.set_ylim(0)
lines.margins(x=0)
lines.grid(axis="y", color=quiet, alpha=0.25)

change = regions["growth"].drop("Total").sort_values()
drawn = bars.barh(change.index, change * 100, color=[ink if value < 0 else quiet for value in change], height=0.6)
bars.bar_label(drawn, [f"{value:+.1%}" for value in change], padding=4)
bars.axvline(0, color=ink, linewidth=0.8)
bars.set_title("Growth in 2025 by region", loc="left")
bars.set(xticks=[], xlim=(min(change.min() * 300, 0), change.max() * 140))
bars.spines[["bottom", "left"]].set_visible(False)
bars.tick_params(length=0)

figure.suptitle(f"{fastest} grew by {growth[fastest]:.0%} in 2025, the whole business by "
                f"{products.loc['Total', 'growth']:.0%}", x=0.012, ha="left", fontsize=15, fontweight="bold")
figure.tight_layout(w_pad=3)
plt.savefig("sales.png", dpi=160)
plt.close(figure)
print("Chart: sales.png")
