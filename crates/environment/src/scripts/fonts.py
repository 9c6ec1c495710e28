"""Leaves a list of fonts where MPLCONFIGDIR says, holding only fonts that cells see: matplotlib's own and the system's."""

import glob
import json
import os

import matplotlib.font_manager

assert matplotlib.font_manager.fontManager.ttflist
(file,) = glob.glob(os.path.join(os.environ["MPLCONFIGDIR"], "fontlist-*.json"))
with open(file) as text:
    fonts = json.load(text)
for kind in ("ttflist", "afmlist"):
    fonts[kind] = [
        each for each in fonts[kind] if not os.path.isabs(each["fname"]) or each["fname"].startswith("/usr/share/fonts/")
    ]
with open(file, "w") as text:
    json.dump(fonts, text)
for other in os.listdir(os.environ["MPLCONFIGDIR"]):
    if not other.startswith("fontlist-") or not other.endswith(".json"):
        os.remove(os.path.join(os.environ["MPLCONFIGDIR"], other))
