"""The end of the interpreter: all that a Python program does before it is gone, done before the call's last frame.

Who receives that frame may take what was written for written: threads have ended, `atexit` has run, objects that only
the namespace held are gone, files are flushed. The process then leaves through Python's own exit.
"""

from __future__ import annotations

import os
import sys

from . import tracebacks
from .interrupt import guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from .streams import Outlet


def install(outlet: Outlet) -> None:
    """Makes `os._exit` send what was printed: in any program whole lines would be out by then."""
    leave = os._exit

    def _exit(status: int) -> NoReturn:
        guarded(outlet.flush_now)
        leave(status)

    os._exit = _exit


def finish(interpreter: Any) -> None:
    """Ends threads, `atexit` handlers, objects and files, each interruptibly."""
    # Files before the namespace too: a file in a cycle of garbage may find its lower layer closed before its own text.
    for step in (_end_threads, _run_handlers, _flush_files, _drop_namespace, _flush_files):
        _, error = guarded(step, interpreter)
        if error is not None and not issubclass(type(error), SystemExit):
            sys.stderr.write(f"{tracebacks.render(error)}\n")


def _end_threads(_interpreter: Any) -> None:
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()  # type: ignore[attr-defined]


def _run_handlers(_interpreter: Any) -> None:
    import atexit

    atexit._run_exitfuncs()


def _drop_namespace(interpreter: Any) -> None:
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        return  # A daemon thread would fail over the missing names, and say so.
    import gc

    interpreter.outputs.clear()
    interpreter.recent._ = interpreter.recent.__ = interpreter.recent.___ = ""
    for name in [name for name in interpreter.names if not name.startswith("__")]:
        interpreter.names.pop(name, None)
    gc.collect()


def _flush_files(_interpreter: Any) -> None:
    import gc
    import io

    layers = [(io.TextIOWrapper,), (io.BufferedWriter, io.BufferedRandom)]
    # What was frozen before the fork is not listed, and is nobody's open file.
    objects = gc.get_objects()
    for layer in layers:
        for item in objects:
            if type(item) in layer:
                try:
                    item.flush()
                except (OSError, ValueError):
                    pass
