"""First call: load a week of sensor readings and clean them. The table stays, as `readings`, for the next calls."""

import pandas as pd

raw = pd.read_csv("readings.csv", parse_dates=["time"])
readings = raw.drop_duplicates()
readings = readings[readings["co2_ppm"] > 300]  # less is a sensor warming up; drops what is missing, too
print(f"{len(raw)} readings, {len(raw) - len(readings)} dropped")
