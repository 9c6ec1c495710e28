import pandas as pd

frame = pd.DataFrame({"kind": ["x", "y", "x"], "number": [1, 2, 3]})
frame.to_excel("frame.xlsx", index=False)
again = pd.read_excel("frame.xlsx")
assert again.groupby("kind")["number"].sum().to_dict() == {"x": 4, "y": 2}
