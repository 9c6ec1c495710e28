import importlib.resources
import zoneinfo

assert importlib.resources.files("tzdata").joinpath("zoneinfo/Europe/Lisbon").is_file()
assert zoneinfo.ZoneInfo("Europe/Lisbon").key == "Europe/Lisbon"
