"""Tells which package index pip is configured to use here, without pip. Prints one JSON object."""

import configparser
import json
import os
import sys

home = os.path.expanduser("~")
system = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
user = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
files = [os.path.join(folder, "pip", "pip.conf") for folder in reversed(system.split(":"))]
files += ["/etc/pip.conf", os.path.join(home, ".pip", "pip.conf"), os.path.join(user, "pip", "pip.conf")]
named = os.environ.get("PIP_CONFIG_FILE")
if named == os.devnull:
    files = []
elif named:
    files.append(named)

values = {}
for file in files:
    parser = configparser.RawConfigParser()
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        continue
    for section in ("global", "install"):
        if parser.has_section(section):
            values.update((key.replace("_", "-"), value) for key, value in parser.items(section))
for name, value in os.environ.items():
    if name.startswith("PIP_"):
        values[name[4:].lower().replace("_", "-")] = value

json.dump(
    {
        "main": values.get("index-url", "").strip(),
        "extra": values.get("extra-index-url", "").split(),
        "trusted": values.get("trusted-host", "").split(),
        "certificates": os.path.expanduser(values.get("cert", "").strip()),
        "proxy": values.get("proxy", "").strip(),
    },
    sys.stdout,
)
