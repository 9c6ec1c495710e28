"""Data analysis: a hundred days of revenue and costs, summed up."""

import numpy as np
import pandas as pd

random = np.random.default_rng(seed=1)
days = pd.DataFrame({
    "date": pd.date_range("2025-01-01", periods=100),
    "revenue": random.normal(1000, 200, 100).round(2),
    "costs": random.normal(700, 150, 100).round(2),
})
days["profit"] = days["revenue"] - days["costs"]

print(days[["revenue", "costs", "profit"]].describe().round(1))
print(f"\nTotal profit:  {days['profit'].sum():>10,.2f}")
print(f"Profit margin: {days['profit'].sum() / days['revenue'].sum():>10.1%}")
print(f"Days at a loss: {(days['profit'] < 0).sum():>9}")

months = days.groupby(days["date"].dt.month_name(), sort=False)["profit"]
print("\nProfit by month")
print(months.agg(["count", "sum", "mean"]).round(1).rename_axis(None))
