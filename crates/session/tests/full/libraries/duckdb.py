import duckdb
import pandas

orders = pandas.DataFrame({"customer": ["a", "b", "a"], "amount": [1, 5, 3]})
rows = duckdb.sql("select customer, sum(amount) from orders group by customer order by 2 desc").fetchall()
assert rows == [("b", 5), ("a", 4)], rows
