"""`!command`, `%%bash` and `os.system`: children with our own descriptors 1 and 2.

They write into the pipes that init reads, so their output streams as they run and no terminal is made for them; under
a redirection (`%%capture`, `redirect_stdout`) it is read and written to where `sys.stdout` points. Each runs in a
process group of its own, so that an interrupt reaches all of it; a pipeline that does not end on SIGINT is killed.
"""

from __future__ import annotations

import os
import signal
import sys

from .interrupt import raise_deferred, shielded
from .streams import FrameBuffer, Outlet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

#: Seconds between SIGINT, SIGTERM and SIGKILL.
_GRACE = 0.5
#: Seconds for which nobody looks for an interrupt. One that comes in the moment before a wait begins does not end it.
_LOOK = 1

_outlet: Outlet | None = None


def install(outlet: Outlet) -> None:
    """Makes everything that starts a process send what was printed before it: else the order would be lost."""
    from . import imports

    global _outlet
    _outlet = outlet
    imports.after("subprocess", _flush_before)
    os.system = system  # type: ignore[assignment]


def _flush_before(module: Any) -> None:
    start = getattr(module, "_fork_exec", None)
    if start is None:
        return

    def flushed(*args: Any) -> Any:
        if _outlet is not None:
            _outlet.settle()
        return start(*args)

    module._fork_exec = flushed


def system(command: str) -> int:
    """`os.system`, with the same result; the C library's would ignore SIGINT while it waits."""
    status = run(["/bin/sh", "-c", os.fspath(command)])
    return -status if status < 0 else status << 8


def shell(command: str) -> int:
    """Runs a command line; negative numbers are signals."""
    return run([_shell(), "-c", command])


def output_of(command: str) -> tuple[str, int]:
    """What a command line writes to both streams, and its status."""
    import subprocess

    child = shielded(_start, [_shell(), "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out, _ = _interruptibly(child, _communicate)
    return out.decode("utf-8", "replace"), child.returncode


def run(argv: Sequence[str], text: str | None = None) -> int:
    """Runs a program, with this text as its standard input if there is one."""
    import subprocess

    direct = _is_ours(sys.stdout) and _is_ours(sys.stderr)
    streams: dict[str, Any] = {} if direct else {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if text is not None:
        streams["stdin"] = subprocess.PIPE
    given = None if text is None else text.encode("utf-8", "replace")
    child = shielded(_start, argv, **streams)
    if direct and text is None:
        return _interruptibly(child, _wait)
    out, err = _interruptibly(child, _communicate, given)
    for stream, data in ((sys.stdout, out), (sys.stderr, err)):
        if data:
            stream.write(data.decode("utf-8", "replace"))
    return child.returncode


def _start(argv: Sequence[str], **streams: Any) -> Any:
    import subprocess

    streams.setdefault("stdin", subprocess.DEVNULL)
    child = subprocess.Popen(list(argv), process_group=0, **streams)
    # On an interrupt `wait` hopes for a quarter of a second that the child got it too; this one did not.
    child._sigint_wait_secs = 0
    return child


def _interruptibly(child: Any, work: Callable, *args: Any) -> Any:
    """Does it, and takes the child's whole process group along when it is interrupted."""
    try:
        raise_deferred()
        return work(child, *args)
    except BaseException:
        _end(child)
        raise


def _wait(child: Any) -> int:
    """Waits for its end, and gives its status."""
    import select

    ended = os.pidfd_open(child.pid)
    try:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        while not poll.poll(_LOOK * 1000):
            pass
    finally:
        os.close(ended)
    return child.wait()


def _communicate(child: Any, text: bytes | None = None) -> tuple[bytes, bytes]:
    """Writes to it, reads from it to its end."""
    import subprocess

    while True:
        try:
            return child.communicate(text, timeout=_LOOK)
        except subprocess.TimeoutExpired:
            # What is left of the text, it keeps itself.
            text = None


def _end(child: Any) -> None:
    import subprocess

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
        except OSError:
            pass
        try:
            child.wait(_GRACE)
            return
        except subprocess.TimeoutExpired:
            pass


def _shell() -> str:
    chosen = os.environ.get("SHELL", "")
    return chosen if os.access(chosen, os.X_OK) else "/bin/sh"


def _is_ours(stream: Any) -> bool:
    return isinstance(getattr(stream, "buffer", None), FrameBuffer)
