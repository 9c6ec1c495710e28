import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

pq.write_table(pa.table({"n": [1, 2, 3], "s": ["a", "b", None]}), "table.parquet")
table = pq.read_table("table.parquet")
assert pc.sum(table["n"]).as_py() == 6 and table["s"].null_count == 1
