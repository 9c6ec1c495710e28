"""Data from the web, with a file to fall back on where the web cannot be reached.

A cell reaches nothing unless its network mode lets it: the request then fails at once, not after a time-out.
"""

import json

import pandas as pd
import requests

ADDRESS = "https://api.example.org/stations.json"  # put your own here

try:
    response = requests.get(ADDRESS, timeout=10)
    response.raise_for_status()
    stations = response.json()
    print(f"read from {ADDRESS}")
except requests.RequestException as error:
    with open("stations.json") as file:
        stations = json.load(file)
    print(f"the web cannot be reached ({type(error).__name__}); read from stations.json instead")

table = pd.DataFrame(stations).sort_values("elevation_m")
print(table.to_string(index=False))

lowest, highest = table.iloc[0], table.iloc[-1]
fall = (lowest["temperature_c"] - highest["temperature_c"]) / (highest["elevation_m"] - lowest["elevation_m"]) * 100
print(f"\nIt gets colder by {fall:.2f} degrees each 100 m.")
