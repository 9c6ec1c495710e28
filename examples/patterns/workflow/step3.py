"""Third call: export the result."""

daily.to_csv("daily.csv")
print(f"daily.csv: {len(daily)} days, {len(daily.columns)} rooms")
