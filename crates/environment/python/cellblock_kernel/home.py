"""What the session's home adds to the environment: packages installed in it, and the list of fonts.

`pip install` goes to the user's site directory, which often does not exist yet when the interpreter starts, or, in a
kernel that was forked, was looked for in another home. So it is looked for at every call.
"""

import os
import sys

_site_dir: str | None = None
_known = False


def install(package_root: str) -> None:
    """Search path as an interactive interpreter has it: the working directory first, and nothing of ours."""
    own = (package_root, os.path.join(package_root, "cellblock_kernel"))
    sys.path[:] = ["", *(entry for entry in sys.path if entry not in ("", *own))]
    sys.argv[:] = [""]
    _find_site_dir()
    look()
    link_fonts()


def _find_site_dir() -> None:
    global _site_dir, _known
    import site

    if not site.ENABLE_USER_SITE:
        return
    # Both are remembered from the start of the interpreter, which may have been before the fork.
    site.USER_BASE = site.USER_SITE = None
    _site_dir = site.getusersitepackages()
    _known = _site_dir in sys.path


def look() -> None:
    """Before a call: adds the home's packages to the search path once there are any."""
    global _known
    if _known or _site_dir is None or not os.path.isdir(_site_dir):
        return
    import importlib
    import site

    site.addsitedir(_site_dir)
    importlib.invalidate_caches()
    _known = True


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
