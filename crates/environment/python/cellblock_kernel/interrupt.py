"""Signals: where they may raise, and where not.

The rule: a signal handler raises into user code only. Ours (SIGINT, which init sends to stop a call) raises if, and
only if, [`_region`] is on the main thread's stack when Python gets to handle the signal; its one caller, [`guarded`],
catches whatever leaves it. So there is no moment, at the beginning or the end of a call or between two, at which an
interrupt could escape into the kernel's own loop or into the next call, and no flag that could be set too early or
too late. Looking through the stack is done once per signal.

Where Python cannot let it pass (it met a destructor, or a callback of the import system), it is raised again a little
later instead of being lost.

Handlers that cells install (a time-out by SIGALRM that fires after its call has ended) are held to the same rule:
`signal.signal` wraps them, and elsewhere what they raise is printed. SystemExit alone passes everywhere.
"""

from __future__ import annotations

import signal
import sys
from _thread import interrupt_main, start_new_thread
from time import sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

_signal = signal.signal
_getsignal = signal.getsignal
_unraisablehook = sys.unraisablehook

#: Seconds after which a lost interrupt is raised again.
_AGAIN = 0.01

#: How many interrupts were raised since [`begin`], and how often that was called.
_raised = 0
_calls = 0
#: Whether one came while [`shielded`] ran.
_deferred = False


def _region(call: Callable, args: tuple, options: dict[str, Any]) -> Any:
    return call(*args, **options)


_REGION: CodeType = _region.__code__


def shielded(call: Callable, *args: Any, **options: Any) -> Any:
    """Calls it, and keeps an interrupt that comes meanwhile for [`raise_deferred`].

    For what must not be torn between its effect and our knowledge of it, and does not take long.
    """
    return call(*args, **options)


_SHIELDED: CodeType = shielded.__code__


def raise_deferred() -> None:
    """Raises the interrupt that [`shielded`] kept, if there is one."""
    global _deferred, _raised
    if _deferred:
        _deferred = False
        _raised += 1
        raise KeyboardInterrupt


def guarded(call: Callable, *args: Any, **options: Any) -> tuple[Any, BaseException | None]:
    """Calls it, interruptibly. Gives (its value, None) or (None, what it raised): anything, SystemExit too."""
    try:
        return _region(call, args, options), None
    except BaseException as error:
        return None, error


def begin() -> None:
    """A call begins: SIGINT is ours again, whatever user code installed."""
    global _raised, _calls, _deferred
    _raised = 0
    _deferred = False
    _calls += 1
    restore()


def raised() -> bool:
    """Whether an interrupt was raised in this call."""
    return _raised > 0


def restore() -> None:
    """Puts our handler of SIGINT in place."""
    if _getsignal(signal.SIGINT) is not _interrupt:
        _signal(signal.SIGINT, _interrupt)


def install() -> None:
    """Takes SIGINT, and from now on wraps the handlers that others install."""
    signal.signal = _set_handler
    signal.getsignal = _get_handler
    sys.unraisablehook = _unraisable
    restore()


def _interrupt(_number: int, frame: FrameType | None) -> None:
    global _raised, _deferred
    if _runs(_SHIELDED, frame):
        _deferred = True
    elif _runs(_REGION, frame):
        _raised += 1
        raise KeyboardInterrupt


def _runs(code: CodeType, frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False


def _unraisable(lost: Any) -> None:
    # A handler at exit that was interrupted is over: there it did what it was for.
    at_exit = "atexit" in (lost.err_msg or "")
    if issubclass(lost.exc_type, KeyboardInterrupt) and not at_exit and _runs(_REGION, sys._getframe()):
        start_new_thread(_raise_again, (_calls,))
    else:
        _unraisablehook(lost)


def _raise_again(call: int) -> None:
    sleep(_AGAIN)
    if call == _calls:
        interrupt_main()


class _Handler:
    """A handler that a cell installed."""

    def __init__(self, handler: Callable) -> None:
        self.handler = handler

    def __call__(self, number: int, frame: FrameType | None) -> Any:
        if _runs(_REGION, frame):
            return self.handler(number, frame)
        _, error = guarded(self.handler, number, frame)
        if error is not None:
            if issubclass(type(error), SystemExit):
                raise error
            from . import tracebacks

            guarded(sys.stderr.write, f"{tracebacks.render(error)}\n")
        return None


def _set_handler(signalnum: Any, handler: Any) -> Any:
    wrapped = _Handler(handler) if callable(handler) and handler is not _interrupt else handler
    return _unwrapped(_signal(signalnum, wrapped))


def _get_handler(signalnum: Any) -> Any:
    return _unwrapped(_getsignal(signalnum))


def _unwrapped(handler: Any) -> Any:
    return handler.handler if type(handler) is _Handler else handler


for _ours, _theirs in ((_set_handler, _signal), (_get_handler, _getsignal)):
    _ours.__name__ = _ours.__qualname__ = _theirs.__name__
    _ours.__doc__ = _theirs.__doc__
