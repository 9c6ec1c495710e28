"""What a kernel's beginning has to do with the session's home: the search path and the list of fonts."""

import os
import sys

from . import layer


def install(package_root: str) -> None:
    """Search path as an interactive interpreter has it: the working directory first, and nothing of ours."""
    own = (package_root, os.path.join(package_root, "cellblock_kernel"))
    sys.path[:] = ["", *(entry for entry in sys.path if entry not in ("", *own))]
    sys.argv[:] = [""]
    link_fonts()
    layer.install()


def link_fonts() -> None:
    """Saves matplotlib, here and in child processes, the search for fonts that takes it more than a second."""
    ready = os.path.join(sys.prefix, "share", "matplotlib")
    try:
        lists = [name for name in os.listdir(ready) if name.startswith("fontlist-")]
    except OSError:
        return
    folder = os.environ.get("MPLCONFIGDIR")
    if not folder:
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        folder = os.path.join(cache, "matplotlib")
    try:
        os.makedirs(folder, exist_ok=True)
        for name in lists:
            link = os.path.join(folder, name)
            if not os.path.lexists(link):
                os.symlink(os.path.join(ready, name), link)
    except OSError:
        pass  # Without it the first plot takes longer.
