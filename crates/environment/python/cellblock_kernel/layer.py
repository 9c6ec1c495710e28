"""The session's layer: what it installs, in its home, before the environment's own packages.

The layer is a virtual environment at `~/.local`, there from the cell's beginning: `pip`, started by whom it may be,
writes there by itself, and leaves the environment's packages alone. A kernel does not start in it. It starts in the
environment, and puts the layer in front when nothing of it has run yet: what a user installs can break a call, and
never the kernel that is to say so.

What must stay true: a call in a session that installs nothing pays one look at a directory's time.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

#: By which the layer's interpreters find the environment; a kernel has it.
_ENVIRONMENT = "zzz_environment.pth"

_packages = ""
#: When the packages' directory was last written, as of the last look, ns since 1970.
_written = 0
#: Files of paths that were read, with their times.
_read: set[tuple[str, int]] = set()


def install() -> None:
    """Puts the layer in front of the environment, and makes its interpreter the one that is started from here."""
    global _packages, _written
    import site

    # All remembered from the start of the interpreter, which may have been before the fork, in another home.
    site.USER_BASE = site.USER_SITE = None
    site.ENABLE_USER_SITE = not os.environ.get("PYTHONNOUSERSITE")
    root, _packages = _places()
    sys.path[:] = [entry for entry in sys.path if entry != _packages]
    sys.path.insert(_environment(), _packages)
    _move(root)
    sys.meta_path.append(_Late())
    try:
        if os.listdir(_packages) == [_ENVIRONMENT]:
            _written = os.stat(_packages).st_mtime_ns
    except OSError:
        pass  # It was removed, or the home is not a cell's.


def look() -> bool:
    """Before a call: takes note of what was installed or removed. Says whether there was something."""
    global _written
    try:
        written = os.stat(_packages).st_mtime_ns
    except OSError:
        return False
    if written == _written:
        return False
    _written = written
    import importlib

    importlib.invalidate_caches()
    _read_paths()
    return True


def shadowed() -> list[str]:
    """The names of modules that are imported, and that the layer has in place of what was imported."""
    packages = _packages or _places()[1]
    try:
        names = {name.partition(".")[0] for name in os.listdir(packages)}
    except OSError:
        return []
    # The standard library comes before the layer.
    names = {name for name in names if name in sys.modules} - sys.stdlib_module_names
    return sorted(name for name in names if not _is_below(packages, sys.modules[name]))


def begin_cold(fd: int) -> NoReturn:
    """In a kernel that was forked warm: becomes one that has imported nothing."""
    main = os.path.join(os.path.dirname(os.path.abspath(__file__)), "__main__.py")
    os.set_inheritable(fd, True)
    os.execv(sys.executable, [sys.executable, "-s", main, "--fd", str(fd)])


def _places() -> tuple[str, str]:
    root = os.path.join(os.path.expanduser("~"), ".local")
    python = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return root, os.path.join(root, "lib", python, "site-packages")


def _environment() -> int:
    """Where in the search path the environment's packages are."""
    for index, entry in enumerate(sys.path):
        if entry.endswith("-packages"):
            return index
    return len(sys.path)


def _move(root: str) -> None:
    python = os.path.join(root, "bin", "python")
    if not os.path.exists(python) or not os.path.exists(os.path.join(root, "pyvenv.cfg")):
        return
    import site

    site.PREFIXES[:] = [root, *(prefix for prefix in site.PREFIXES if prefix != sys.prefix)]
    sys.executable, sys.prefix, sys.exec_prefix = python, root, root
    # Modules that have asked already.
    spawn: Any = sys.modules.get("multiprocessing.spawn")
    if spawn is not None:
        spawn.set_executable(python)
    sysconfig: Any = sys.modules.get("sysconfig")
    if sysconfig is not None:
        sysconfig._PREFIX = sysconfig._EXEC_PREFIX = root
        known = getattr(sysconfig, "_CONFIG_VARS", None) or {}
        known.update({name: root for name in ("prefix", "exec_prefix", "base", "platbase") if name in known})


def _is_below(packages: str, module: Any) -> bool:
    origin = getattr(module, "__file__", None) or getattr(getattr(module, "__spec__", None), "origin", None)
    return isinstance(origin, str) and origin.startswith(packages + os.sep)


def _read_paths() -> None:
    """Reads files of paths as Python does when it starts; `pip install -e` makes such."""
    import site

    for name in sorted(os.listdir(_packages)):
        if not name.endswith(".pth") or name.startswith(".") or name == _ENVIRONMENT:
            continue
        before = list(sys.path)
        try:
            file = name, os.stat(os.path.join(_packages, name)).st_mtime_ns
            if file in _read:
                continue
            # Whatever comes of it, once is enough.
            _read.add(file)
            site.addpackage(_packages, name, None)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # Its lines are code, which may even leave.
            sys.stderr.write(f"Error processing {os.path.join(_packages, name)}: {error!r}\n")
        count = len(before)
        if _packages in before and sys.path[:count] == before:
            added = sys.path[count:]
            del sys.path[count:]
            index = before.index(_packages) + 1
            sys.path[index:index] = added


class _Late:
    """Asked last: what is not found may have been installed since the call began."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if path is not None or not os.path.isdir(_packages):
            return None
        from importlib.machinery import PathFinder

        if look():
            return PathFinder.find_spec(name, None, target)
        # A directory's time is no finer than a tick of the clock.
        finder = sys.path_importer_cache.get(_packages)
        if finder is not None:
            finder.invalidate_caches()
        return PathFinder.find_spec(name, [_packages], target)
