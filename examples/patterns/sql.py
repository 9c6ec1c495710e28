"""SQL with DuckDB: queries over a DataFrame, as if it were a table."""

import duckdb
import pandas as pd

orders = pd.DataFrame({
    "order_id": range(1, 101),
    "customer": [f"Customer {number % 20:02}" for number in range(100)],
    "amount": [50 + number * 3.5 for number in range(100)],
})

best = duckdb.sql("""
    SELECT customer, count(*) AS orders, sum(amount) AS total, max(amount) AS largest
    FROM orders
    GROUP BY customer
    HAVING count(*) >= 3
    ORDER BY total DESC
    LIMIT 5
""").df()
print(best.to_string(index=False))

[(count, mean)] = duckdb.sql("""
    SELECT count(*) AS orders, round(avg(amount), 2) AS mean
    FROM orders
    WHERE amount > (SELECT median(amount) FROM orders)
""").fetchall()
print(f"\n{count} orders are above the median; their mean is {mean:.2f}")
