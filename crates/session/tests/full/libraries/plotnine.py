import pandas as pd
from plotnine import aes, geom_point, ggplot

(ggplot(pd.DataFrame({"x": [1, 2], "y": [3, 4]}), aes("x", "y")) + geom_point()).save("points.png", verbose=False)
assert open("points.png", "rb").read(4) == b"\x89PNG"
