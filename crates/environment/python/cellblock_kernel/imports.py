"""Doing something right after a module is first imported, and mending imports that were interrupted.

The first is the one mechanism by which the kernel meets libraries that most programs never import. Both cost a
dictionary look-up per import that is not yet loaded, and leave no trace on the module: its loader and spec are the
ordinary ones.

Mending: when the import of a package is interrupted, Python forgets the package and keeps those of its modules that
were finished. Imported again, the package finds them and does not get them as its attributes, and fails with a
`NameError` or worse for the rest of the session. So they are given to it before it runs. Forgetting them too was
rejected: numpy's native modules cannot be loaded twice.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

_after: dict[str, Callable[[ModuleType], None]] = {}
_broken: set[str] = set()


def after(name: str, then: Callable[[ModuleType], None]) -> None:
    """Calls `then(module)` once it is imported, or now if it is."""
    module = sys.modules.get(name)
    if module is not None:
        then(module)
        return
    _after[name] = then
    _install()


def mend() -> None:
    """After an interrupt: packages that were being imported can be imported again."""
    for name in list(sys.modules):
        package = name.rpartition(".")[0]
        while package and package not in sys.modules:
            _broken.add(package)
            package = package.rpartition(".")[0]
    if _broken:
        _install()


def _install() -> None:
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in _after and name not in _broken:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                _hook(spec.loader, name)
                return spec
        return None


def _hook(loader: Any, name: str) -> None:
    # The loader is this spec's own object, so an attribute of it shadows the method for this import only.
    def exec_module(module: ModuleType) -> None:
        del loader.exec_module
        if name in _broken:
            for each in list(sys.modules):
                package, _, child = each.rpartition(".")
                if package == name:
                    setattr(module, child, sys.modules[each])
        loader.exec_module(module)
        _broken.discard(name)
        then = _after.pop(name, None)
        if then is None:
            return
        try:
            then(module)
        except Exception as error:
            # A library that changed under us must not become impossible to import.
            sys.stderr.write(f"cellblock: could not prepare `{name}`: {error!r}\n")

    try:
        loader.exec_module = exec_module
    except AttributeError:
        pass
