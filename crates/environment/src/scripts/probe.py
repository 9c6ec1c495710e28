"""Tells what an interpreter is, so that it can be judged and copied. Prints one JSON object."""

import importlib
import json
import os
import platform
import struct
import sys
import sysconfig

executable = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
extensions = sysconfig.get_config_var("DESTSHARED") or ""
standard = os.path.dirname(os.__file__)
if not os.path.isdir(extensions):
    extensions = os.path.join(standard, "lib-dynload")

missing = []
for name in ("ssl", "ctypes", "sqlite3", "zlib", "lzma", "bz2", "readline", "socket", "select", "multiprocessing"):
    try:
        importlib.import_module(name)
    except Exception as error:  # a module that is there and broken is as bad as none
        if name not in ("bz2", "lzma", "readline"):
            missing.append(f"{name} ({error})")

# Everything that an extension module may load, so that no library stays behind where cells cannot see it.
if os.path.isdir(extensions):
    for file in sorted(os.listdir(extensions)):
        name = file.split(".")[0]
        if file.endswith(".so") and "test" not in name and not name.startswith(("xx", "_tkinter")):
            try:
                importlib.import_module(name)
            except Exception:
                pass

libraries = set()
with open("/proc/self/maps") as maps:
    for line in maps:
        fields = line.rstrip("\n").split(None, 5)
        if len(fields) == 6 and fields[5].startswith("/") and ".so" in os.path.basename(fields[5]):
            libraries.add(fields[5])

print(
    json.dumps(
        {
            "implementation": sys.implementation.name,
            "version": platform.python_version(),
            "major": sys.version_info[0],
            "minor": sys.version_info[1],
            "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
            "libc": platform.libc_ver()[0],
            "machine": platform.machine(),
            "bits": struct.calcsize("P") * 8,
            "executable": executable,
            "prefix": os.path.realpath(sys.base_prefix),
            "exec_prefix": os.path.realpath(sys.base_exec_prefix),
            "standard": os.path.realpath(standard),
            "extensions": os.path.realpath(extensions),
            "include": os.path.realpath(sysconfig.get_path("include", vars={"installed_base": sys.base_prefix}) or ""),
            "libraries": sorted(libraries),
            "missing": missing,
        }
    )
)
