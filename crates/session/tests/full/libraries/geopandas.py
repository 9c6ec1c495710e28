import geopandas
from shapely.geometry import Point

frame = geopandas.GeoDataFrame({"city": ["Lisbon"]}, geometry=[Point(-9.14, 38.72)], crs=4326)
frame.to_file("cities.gpkg")
metres = geopandas.read_file("cities.gpkg").to_crs(3857).geometry[0]
assert abs(metres.x + 1_017_460) < 100
