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
    out, _ = _interruptibly(child, child.communicate)
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
        return _interruptibly(child, child.wait)
    out, err = _interruptibly(child, child.communicate, given)
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
        return work(*args)
    except BaseException:
        _end(child)
        raise


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
