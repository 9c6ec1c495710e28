"""The session's event loop: one, the same for every cell that awaits.

It runs while a cell awaits and only then. A task that was started in one cell goes on in the next that awaits; code
without `await` runs with no loop running, so that `asyncio.run()` works in it as in any program.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

#: Seconds that a cell's coroutine gets to clean up after an interrupt.
_CLEAN_UP = 1.0

_loop: Any = None


def run(coroutine: Coroutine) -> None:
    """Runs a cell's coroutine to its end; raises what it raises."""
    import asyncio

    loop = current()
    task = loop.create_task(coroutine)
    try:
        loop.run_until_complete(task)
    except (KeyboardInterrupt, SystemExit) as error:
        if task.done():
            # Ask for it, or asyncio complains that nobody did.
            task.cancelled() or task.exception()
            raise
        # The interrupt met the loop and not the cell. Cancelling shows where the cell was waiting, and lets it end.
        task.cancel()
        loop.run_until_complete(asyncio.wait({task}, timeout=_CLEAN_UP))
        if not task.cancelled():
            raise
        try:
            task.result()
        except asyncio.CancelledError as cancelled:
            raise type(error)(*error.args).with_traceback(_innermost(cancelled)) from None


def _innermost(cancelled: BaseException) -> Any:
    """The traceback of where it was cancelled; what awaits it re-raises it with one of its own."""
    while cancelled.__context__ is not None and type(cancelled.__context__) is type(cancelled):
        cancelled = cancelled.__context__
    return cancelled.__traceback__


def current() -> Any:
    """The session's loop, made now if there is none that is open; it is asyncio's current one from here on."""
    global _loop
    import asyncio

    if _loop is None or _loop.is_closed():
        _loop = asyncio.new_event_loop()
    asyncio.set_event_loop(_loop)
    return _loop


def offer(source: str) -> None:
    """Before a cell: `asyncio.get_event_loop()` gives the session's loop, as it did before `asyncio.run()` unset it."""
    if "asyncio" in sys.modules and (_loop is not None or "async" in source):
        current()


def close() -> None:
    """Closes the loop, if there is one: its descriptors must not be there when a forkserver forks."""
    global _loop
    if _loop is not None:
        import asyncio

        _loop.close()
        asyncio.set_event_loop(None)
        _loop = None


def after_fork() -> None:
    """In a child: the loop's descriptors are the parent's."""
    global _loop
    _loop = None
