"""The session's namespace, and what running a cell in it means.

One executor runs every cell. IPython is the tool box next to it: it transforms text that is not Python (`%magic`,
`!command`), formats values, and is what `get_ipython()` gives; it is imported when one of these is first needed. Its
own `run_cell` was not taken, because a plain cell costs two to three times as much there and a cold start 120 ms more
(SPEC.md has the command that measures it). What a user can change in IPython that bears on running a cell is asked of
it on every call once it exists: interactivity, AST and input transformers, event callbacks, `Out`'s size.

The namespace is a module named `__main__` that was never loaded from a file, as in any interactive interpreter, so
that pickling, dataclasses and `multiprocessing` find what cells define.
"""

from __future__ import annotations

import builtins
import os
import sys
from types import ModuleType, SimpleNamespace

from . import cells, display, tracebacks
from .modules import Modules
from .streams import Outlet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MAIN = "__main__"
_PLAIN = frozenset({int, float, complex, bool, bytes, str})
_OUT_KEPT = 1000


class Leave:
    """Ends the interpreter: call it, or name it alone in a cell."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, code: Any = None) -> None:
        raise SystemExit(code)

    def __repr__(self) -> str:
        return f"Use {self._name}() to end the interpreter."


class Interpreter:
    """One namespace and its history. Says things through the outlet; knows nothing of frames and calls."""

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet
        self.main = ModuleType(_MAIN)
        self.names: dict[str, Any] = self.main.__dict__
        self.names["__builtins__"] = self.names["__builtin__"] = builtins
        #: The number that the next cell gets, and that of the cell that runs or ran last.
        self.number = 1
        self.current = 0
        #: Source texts by number, as IPython's `In` (transformed) and `_i` (raw) have them.
        self.inputs: list[str] = [""]
        self.raw_inputs: list[str] = [""]
        self.outputs: dict[int, Any] = {}
        self.directories: list[Any] = []
        #: The last three values shown; IPython's display hook once it exists.
        self.recent: Any = SimpleNamespace(_="", __="", ___="")
        self.shell: Any = None
        self._no_shell = False
        self._hidden = 0
        self._flags = cells.TOP_LEVEL_AWAIT
        self.modules = Modules()
        self._given = {"get_ipython": self.get_ipython}
        self._leave = {name: Leave(name) for name in ("exit", "quit")}
        self.names.update(self.initial_names(), _="", __="", ___="")

    def initial_names(self) -> dict[str, Any]:
        """What a fresh namespace holds and `%who` does not list."""
        return {
            "In": self.inputs,
            "Out": self.outputs,
            "_ih": self.inputs,
            "_oh": self.outputs,
            "_dh": self.directories,
            **self._given,
            **self._leave,
        }

    def adopt(self) -> None:
        """Makes this process the session's: its `__main__`, its `builtins`, its working directory."""
        # The module that was __main__ must outlive this: its functions are on the stack.
        self._former_main = sys.modules.get(_MAIN)
        sys.modules[_MAIN] = self.main
        self.directories[:] = [os.getcwd()]
        builtins.get_ipython = self._given["get_ipython"]  # type: ignore[attr-defined]
        builtins.display = self._display  # type: ignore[attr-defined]
        builtins.__IPYTHON__ = True  # type: ignore[attr-defined]
        sys.ps1, sys.ps2, sys.ps3 = "In : ", "...: ", "Out: "  # type: ignore[attr-defined]
        if self.shell is not None:
            self.shell.adopt()

    def clear(self) -> None:
        """Forgets everything that cells did to the namespace and the history."""
        if self.shell is not None:
            self.shell.reset(new_session=True)
        self.names.clear()
        self.names.update(ModuleType(_MAIN).__dict__)
        self.names["__builtins__"] = self.names["__builtin__"] = builtins
        self.outputs.clear()
        self.inputs[:] = self.raw_inputs[:] = [""]
        self.recent._ = self.recent.__ = self.recent.___ = ""
        self.number, self.current, self._hidden = 1, 0, 0
        self._flags = cells.TOP_LEVEL_AWAIT
        self.names.update(self.initial_names(), _="", __="", ___="")
        tracebacks.forget()

    def get_ipython(self) -> Any:
        """The IPython shell of this session."""
        if self.shell is None and not self._no_shell:
            # Importing IPython asks for its shell too; and where there is none, it is not asked for again.
            self._no_shell = True
            try:
                from . import shell

                shell.build(self)
            except ModuleNotFoundError as error:
                self._no_shell = error.name == "IPython"
                if not self._no_shell:
                    raise
                return None
            except BaseException:
                self._no_shell = False
                raise
            self._no_shell = False
        return self.shell

    def _display(self, *args: Any, **kwargs: Any) -> Any:
        self.get_ipython()
        from IPython.display import display as show

        builtins.display = show  # type: ignore[attr-defined]
        return show(*args, **kwargs)

    # Running.

    def run(
        self, source: str, *, silent: bool = False, store: bool = True, filename: str | None = None
    ) -> None:
        """Runs a cell; raises what it raises."""
        source = source.replace("\r\n", "\n").replace("\r", "\n")
        if not source or source.isspace():
            return
        store = store and not silent
        number = self.number
        name = filename or self._name(store)
        if store:
            self.current = self.number
            self.number += 1
        if self.shell is not None:
            self.shell.execution_count = self.number
        if "asyncio" in sys.modules or "async" in source:
            from . import loops

            loops.offer(source)
        # Otherwise a warning of this cell is taken for one that another cell gave at the same line.
        self.names.pop("__warningregistry__", None)
        tracebacks.remember(name, source)
        tree, source_run = self._parse(source, name)
        if store:
            self._store(number, source, source_run)
        shell = self.shell
        if shell is None:
            self._execute(tree, source_run, name, "none" if silent else "last_expr")
            return
        shell.before(source, source_run, store, silent)
        error = None
        try:
            tree = shell.transform_ast(tree)
            self._execute(tree, source_run, name, "none" if silent else shell.ast_node_interactivity)
        except BaseException as raised:
            error = raised
            raise
        finally:
            shell.after(error, silent)
            self.number = shell.execution_count

    def _parse(self, source: str, name: str) -> tuple[Any, str]:
        """The tree and the text it is of: the source, or what IPython makes of it."""
        if self.shell is None or not self.shell.transforms_text():
            try:
                tree = cells.parse(source, name, self._flags)
            except SyntaxError:
                if not cells.may_be_escaped(source) or self.get_ipython() is None:
                    raise
            else:
                if not cells.may_be_command(tree, source, self._is_defined):
                    return tree, source
                if self.get_ipython() is None:
                    return tree, source
        transformed = self.shell.transform_cell(source)
        if transformed.rstrip("\n") != source.rstrip("\n"):
            tracebacks.remember(name, transformed)
        return cells.parse(transformed, name, self._flags), transformed

    def _is_defined(self, name: str) -> bool:
        return name in self.names or hasattr(builtins, name)

    def _execute(self, tree: Any, source: str, name: str, interactivity: str) -> None:
        flags = self._flags
        if self.shell is not None and not self.shell.autoawait:
            flags &= ~cells.TOP_LEVEL_AWAIT
        todo, flags = cells.pieces(tree, source, name, flags, interactivity)
        self._flags |= flags & cells.FUTURES
        if any(code.co_flags & cells.COROUTINE for code, _ in todo):
            from . import loops

            loops.run(self._run_async(todo))
            return
        names = self.names
        for code, shown in todo:
            value = eval(code, names)
            if shown and value is not None:
                self.show(value)

    async def _run_async(self, todo: list[cells.Piece]) -> None:
        # All of one cell in one task, so that what it sets in a context variable holds for the rest of it.
        for code, shown in todo:
            value = eval(code, self.names)
            if code.co_flags & cells.COROUTINE:
                value = await value
            if shown and value is not None:
                self.show(value)

    def _name(self, store: bool) -> str:
        if store:
            return f"<cell {self.number}>"
        self._hidden += 1
        return f"<hidden cell {self._hidden}>"

    def _store(self, number: int, raw: str, source: str) -> None:
        # As IPython numbers them; a gap is a number that was spent without a text.
        for texts, text in ((self.inputs, source), (self.raw_inputs, raw)):
            texts.extend([""] * (number - len(texts)))
            texts[number:] = [text.rstrip("\n")]
        names = self.names
        names["_iii"], names["_ii"], names["_i"] = names.get("_ii", ""), names.get("_i", ""), raw.rstrip("\n")
        names[f"_i{number}"] = names["_i"]

    # Values.

    def show(self, value: Any) -> None:
        """Shows the value of a cell's last expression."""
        if isinstance(value, Leave):
            value()
        kind = type(value)
        if kind in (str, bytes) and len(value) > display.TEXT_LIMIT:
            self._show_plain(value, display.repr_cut(value))
        elif self.shell is None and kind in _PLAIN:
            self._show_plain(value, repr(value))
        elif self.get_ipython() is None:
            self._show_plain(value, repr(value))
        else:
            self.shell.displayhook(value)

    def _show_plain(self, value: Any, text: str) -> None:
        self.remember(value)
        display.send_result(self.outlet, {"text/plain": text}, {}, self.current)

    def remember(self, value: Any) -> None:
        """Makes it `_`, `_3` and `Out[3]`."""
        names, recent = self.names, self.recent
        out = names.get("_oh")
        if value is out:
            return
        untouched = all(
            names.get(key, "") is getattr(recent, key) for key in ("_", "__", "___") if key in names
        )
        recent.___, recent.__, recent._ = recent.__, recent._, value
        # `from gettext import gettext as _` and the like keep their meaning.
        if untouched and "_" not in builtins.__dict__:
            names["_"], names["__"], names["___"] = recent._, recent.__, recent.___
        kept = _OUT_KEPT if self.shell is None else self.shell.cache_size
        if not kept or not isinstance(out, dict):
            return
        number = self.current
        if len(out) >= kept:
            for old in sorted(out)[: kept // 5 or 1]:
                out.pop(old, None)
                names.pop(f"_{old}", None)
        names[f"_{number}"] = out[number] = value


def exit_status(error: SystemExit, complain: Callable[[str], object]) -> int:
    """The status that the code asked for, 0 to 255. A text goes to standard error, as in any Python program."""
    code = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    complain(f"{code}\n")
    return 1
