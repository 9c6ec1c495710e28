"""Fourth call: read the file back, as whoever receives it will."""

with open("daily.csv") as file:
    print(file.read(), end="")
