"""What an editor asks about code before it runs: how the word at the cursor could go on, and whether the code is whole.

Nothing of the code is run, no module is imported for it (but for those of the standard library that have no source),
and the namespace and the history stay as they are. IPython's completer answers where there is IPython, without jedi,
which takes seconds for what lives here anyway, and by its guarded evaluation, which calls no property and no method of
the user's. (`__dir__` is called: that is what it is for.) Modules are found by us: IPython would import what is
completed, and so run a program that lies in the working directory.
"""

from __future__ import annotations

import builtins
import keyword
import os
import re
import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from .interpreter import Interpreter

#: The most matches of an answer, and the longest one.
MATCHES = 100
LENGTH = 500
#: Bytes of a module's source that are looked through for its names.
_SOURCE = 1 << 20

_IMPORT = re.compile(r"(?:^|[;:])\s*import\s+(?:[\w.]+(?:\s+as\s+\w+)?\s*,\s*)*(?P<module>[\w.]*)$")
_FROM = re.compile(r"(?:^|[;:])\s*from\s+(?P<module>\w[\w.]*)?$")
_NAMES = re.compile(
    r"(?:^|[;:])\s*from\s+(?P<module>\w[\w.]*)\s+import\s+\(?\s*(?:\w+(?:\s+as\s+\w+)?\s*,\s*)*(?P<name>\w*)$"
)
_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, staticmethod, classmethod)


def answer(interpreter: Interpreter, question: dict[str, Any]) -> dict[str, Any]:
    """Answers `{code, cursor}` with `start`, `end`, `matches` and `more`; `{code, check}` with `check` and `indent`."""
    code = question["code"]
    if question.get("check"):
        status, indent = _check(interpreter, code)
        return {"check": status, "indent": indent}
    cursor = max(0, min(int(question.get("cursor", len(code))), len(code)))
    start, found = _complete(interpreter, code, cursor)
    matches = [(text, kind) for text, kind in found if len(text) <= LENGTH and text.isprintable()]
    return {"start": start, "end": cursor, "matches": matches[:MATCHES], "more": len(matches) > MATCHES}


# Whether code is whole.


def _check(interpreter: Interpreter, code: str) -> tuple[str, int]:
    shell = interpreter.get_ipython()
    if shell is not None:
        status, indent = shell.check_complete(code)
        return status, len(indent)
    import ast
    from codeop import CommandCompiler

    compiler = CommandCompiler()
    compiler.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    last = code.rstrip(" \t").rpartition("\n")[2]
    indent = len(last) - len(last.lstrip())
    try:
        whole = compiler(code, "<input>", "exec") is not None
    except (SyntaxError, ValueError, OverflowError):
        return "invalid", 0
    if whole and not (indent and last.strip()):
        return "complete", 0
    return "incomplete", indent + 4 * last.endswith(":")


# How a word goes on.


def _complete(interpreter: Interpreter, code: str, cursor: int) -> tuple[int, list[tuple[str, str]]]:
    before = code[:cursor]
    line = before.rpartition("\n")[2]
    for pattern in (_IMPORT, _FROM):
        match = pattern.search(line)
        if match:
            package, _, word = (match["module"] or "").rpartition(".")
            return cursor - len(word), _sorted(_modules(package), word, "module")
    match = _NAMES.search(line)
    if match:
        modules = set(_modules(match["module"]))
        loaded = sys.modules.get(match["module"])
        there = {} if loaded is None else vars(loaded)
        names = [
            (text, "module" if text in modules else _kind(there, "", text, ""))
            for text, _ in _sorted([*_names_in(match["module"]), *modules], match["name"], "")
        ]
        return cursor - len(match["name"]), names
    shell = interpreter.get_ipython()
    if shell is None:
        return _plainly(interpreter, before)
    found = _by_ipython(shell, code, cursor)
    # Within a line, it offers its commands where there is nothing else.
    begin = cursor - len(line)
    found = [
        each
        for each in found
        if not each.text.startswith("%") or code.startswith("%", each.start) or not code[begin : each.start].strip()
    ]
    start = min((each.start for each in found), default=cursor)
    # All of them replace the same piece of the code.
    matches = [
        (code[start : each.start] + each.text, _kind(interpreter.names, code[: each.start], each.text, each.type))
        for each in found
    ]
    if matches and all(text.startswith(".") for text, _ in matches) and code[start : start + 1] == ".":
        return start + 1, [(text[1:], kind) for text, kind in matches]
    return start, matches


def _by_ipython(shell: Any, code: str, cursor: int) -> list[Any]:
    from IPython.core.completer import provisionalcompleter

    # It shows what a `__dir__` raises, and goes on.
    hook, sys.excepthook = sys.excepthook, _end
    try:
        with provisionalcompleter():
            return list(shell.Completer.completions(code, cursor))
    finally:
        sys.excepthook = hook


def _end(_kind: Any, error: BaseException, _trace: Any) -> None:
    """An interrupt is for the whole of it; one that IPython would take for its own comes out as an exit."""
    if not isinstance(error, Exception):
        raise SystemExit from error


def _plainly(interpreter: Interpreter, before: str) -> tuple[int, list[tuple[str, str]]]:
    """Without IPython: names, and attributes of what has a name."""
    word = re.search(r"[\w.]*$", before)[0]  # type: ignore[index]
    target, dot, last = word.rpartition(".")
    if not dot:
        found = {*interpreter.names, *dir(builtins), *keyword.kwlist}
    else:
        value, known = _value(interpreter.names, target)
        found = set(dir(value)) if known else set()
    start = len(before) - len(last)
    return start, [
        (text, _kind(interpreter.names, before[:start], text, "")) for text, _ in _sorted(found, last, "")
    ]


def _sorted(names: Iterable[str], begin: str, kind: str) -> list[tuple[str, str]]:
    """Those that begin so; private ones last, and only if that is what is asked for."""
    fitting = [name for name in dict.fromkeys(names) if name.startswith(begin) and name.isidentifier()]
    public = [name for name in fitting if not name.startswith("_")]
    return [(name, kind) for name in sorted(fitting if begin.startswith("_") or not public else public)]


def _kind(names: dict[str, Any], before: str, text: str, told: str) -> str:
    """What a match is: a name is looked up, where that calls nothing."""
    if text.startswith("%"):
        return "magic"
    name = text.rpartition(".")[2]
    if not name.isidentifier():
        if name.endswith("=") and name[:-1].isidentifier():
            return "param"
        return told if told not in ("<unknown>", "unknown", "attribute", None) else ""
    if told in ("path", "dict key", "param"):
        return told
    target = re.search(r"(?:(\w+(?:\.\w+)*)\.)?$", before + text[: len(text) - len(name)])[1]  # type: ignore[index]
    if target is None and before.rstrip().endswith((".", ")", "]")):
        return ""
    if target is None and keyword.iskeyword(name):
        return "keyword"
    value, known = _value(names, f"{target}.{name}" if target else name)
    if not known:
        return ""
    kind = type(value)
    if issubclass(kind, type):
        return "class"
    if issubclass(kind, ModuleType):
        return "module"
    if issubclass(kind, _FUNCTIONS) or any("__call__" in vars(each) for each in kind.__mro__):
        return "function"
    return "property" if kind is property else "instance"


def _value(names: dict[str, Any], path: str) -> tuple[Any, bool]:
    """What a dotted name stands for, and whether that could be told without calling anything."""
    from inspect import getattr_static

    first, *rest = path.split(".")
    if first in names:
        value = names[first]
    elif first in builtins.__dict__:
        value = builtins.__dict__[first]
    else:
        return None, False
    for name in rest:
        try:
            value = getattr_static(value, name)
        except (AttributeError, TypeError):
            return None, False
    return value, True


# Modules, without importing them.


def _modules(package: str) -> Iterator[str]:
    """The modules there are, or those in a package."""
    from pkgutil import iter_modules

    if not package:
        yield from sys.builtin_module_names
        yield from (name for name in sys.modules if "." not in name)
        yield from (found.name for found in iter_modules())
        return
    path = _path(package)
    if path is not None:
        yield from (found.name for found in iter_modules(path))


def _path(package: str) -> list[str] | None:
    """Where a package's modules lie."""
    loaded = sys.modules.get(package)
    if loaded is not None:
        path = vars(loaded).get("__path__")
    else:
        spec = _spec(package)
        path = spec and spec.submodule_search_locations
    try:
        return None if path is None else [os.fspath(each) for each in path]
    except TypeError:
        return None


def _spec(module: str) -> Any:
    """How a module would be found; `importlib.util.find_spec` imports the packages that it is in."""
    from importlib.machinery import PathFinder

    package, dot, _ = module.rpartition(".")
    path = _path(package) if dot else None
    if dot and path is None:
        return None
    try:
        return PathFinder.find_spec(module, path)
    except (ImportError, ValueError):
        return None


def _names_in(module: str) -> set[str]:
    """The names that a module gives: of one that is not there yet, those that its source defines at its top level."""
    loaded = sys.modules.get(module)
    if loaded is None and module.partition(".")[0] in sys.stdlib_module_names:
        spec = _spec(module)
        if module in sys.builtin_module_names or (spec is not None and not str(spec.origin).endswith(".py")):
            from importlib import import_module

            loaded = import_module(module)
    if loaded is not None:
        return {name for name in dir(loaded) if isinstance(name, str)}
    spec = _spec(module)
    if spec is None or not str(spec.origin).endswith(".py"):
        return set()
    import ast

    try:
        if os.path.getsize(spec.origin) > _SOURCE:
            return set()
        with open(spec.origin, "rb") as source:
            tree = ast.parse(source.read())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return set()
    return set(_defined(tree.body))


def _defined(body: list[Any]) -> Iterator[str]:
    import ast

    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            for block in ("body", "orelse", "finalbody"):
                yield from _defined(getattr(node, block, []))
