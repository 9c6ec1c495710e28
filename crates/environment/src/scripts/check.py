"""Imports what an environment promises and prints, one a line, every library that was loaded for it. Arguments: the modules."""

import importlib
import sys

for name in ("ctypes", "hashlib", "sqlite3", "ssl", *sys.argv[1:]):
    importlib.import_module(name)
with open("/proc/self/maps") as maps:
    fields = (line.rstrip("\n").split(None, 5) for line in maps)
    for library in sorted({each[5] for each in fields if len(each) == 6 and each[5].startswith("/")}):
        print(library)
