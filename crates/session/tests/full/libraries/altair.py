import altair
import pandas as pd

chart = altair.Chart(pd.DataFrame({"x": [1, 2], "y": [3, 4]})).mark_line().encode(x="x", y="y")
assert chart.to_dict()["mark"]["type"] == "line"
