import polars as pl

frame = pl.DataFrame({"kind": ["x", "y", "x"], "number": [1, 2, 3]})
sums = frame.lazy().group_by("kind").agg(pl.col("number").sum()).sort("kind").collect()
assert sums.rows() == [("x", 4), ("y", 2)]
