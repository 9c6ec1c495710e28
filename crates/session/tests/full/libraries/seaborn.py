import pandas as pd
import seaborn as sns

frame = pd.DataFrame({"x": [1, 2, 3, 4], "y": [2, 4, 5, 8], "kind": ["a", "b", "a", "b"]})
axes = sns.scatterplot(frame, x="x", y="y", hue="kind")
axes.figure.savefig("scatter.png")
assert [text.get_text() for text in axes.get_legend().texts] == ["a", "b"]
