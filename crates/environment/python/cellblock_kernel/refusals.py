"""Whatever would wait for somebody at a terminal fails at once, with a sentence that says why."""

from __future__ import annotations

import builtins
import io
import sys

from . import imports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, NoReturn

INPUT = (
    "{} has nobody to ask: this code runs without a terminal. "
    "Put the value into the code, or read it from a file."
)
STDIN = (
    "sys.stdin has nothing to read: this code has no standard input. "
    "Put the value into the code, pass it as an argument, or read it from a file."
)
DEBUGGER = (
    "a debugger has nobody to talk to: this code runs without a terminal. "
    "Print what you want to see, or look at the variables in the next call."
)


class NoInput(io.RawIOBase):
    """A standard input that says that there is none; an empty one would be taken for an answer."""

    name = "<stdin>"
    mode = "rb"

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 0

    def readinto(self, _buffer: Any, /) -> NoReturn:
        raise EOFError(STDIN)


def install() -> None:
    """Replaces `input`, standard input, `getpass` and the debugger's prompt."""
    # Children have the descriptor, which is /dev/null.
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BufferedReader(NoInput()), encoding="utf-8")  # type: ignore[misc]

    def refused_input(prompt: object = "", /) -> NoReturn:
        """input() is refused here: nobody sits at a terminal."""
        # EOFError is what programs that can do without an answer catch.
        raise EOFError(INPUT.format("input()"))

    refused_input.__name__ = refused_input.__qualname__ = "input"
    builtins.input = refused_input

    def refused_breakpoint(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise RuntimeError(DEBUGGER)

    # PYTHONBREAKPOINT=0 and a hook that user code sets keep their meaning.
    sys.breakpointhook = refused_breakpoint
    imports.after("getpass", _refuse_getpass)
    imports.after("pdb", _refuse_pdb)


def _refuse_getpass(module: ModuleType) -> None:
    def getpass(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise EOFError(INPUT.format("getpass()"))

    module.getpass = getpass  # type: ignore[attr-defined]


def _refuse_pdb(module: ModuleType) -> None:
    interaction = module.Pdb.interaction  # type: ignore[attr-defined]

    def refused(self: Any, *args: Any, **kwargs: Any) -> Any:
        # Commands that come from somewhere else than a terminal (`Pdb(stdin=…)`, `rcLines`) are legitimate.
        if self.stdin is not sys.stdin or getattr(self, "rcLines", None) or getattr(self, "cmdqueue", None):
            return interaction(self, *args, **kwargs)
        sys.settrace(None)
        raise RuntimeError(DEBUGGER)

    module.Pdb.interaction = refused  # type: ignore[attr-defined]
