import shapefile

with shapefile.Writer("points") as writer:
    writer.field("name", "C")
    writer.point(1, 2)
    writer.record("here")
with shapefile.Reader("points") as reader:
    assert tuple(reader.shape(0).points[0]) == (1, 2) and reader.record(0)["name"] == "here"
