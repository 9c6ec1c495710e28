"""The forkserver: a warm interpreter from which kernels are forked into cells.

Run as a program, by absolute path and with ``-I``, in a process that has an empty environment and, as descriptor 3, a
socket to the daemon::

    python -I forkserver.py bare|data

It imports and exercises what kernels need, says that it is warm, and goes into the native helper, which answers
requests without Python. What ``become`` does, it does in kernels only: confined, and one process per kernel.

What must stay true: one thread; nothing that a user wrote is ever run here; nothing is kept that one cell may know and
another may not, for each kernel begins as a copy of all of it.
"""

import ctypes
import importlib
import os
import pkgutil
import resource
import signal
import struct
import sys
from types import ModuleType

CONTROL = 3
HELPER = "libcellblock_forkserver.so"
# The interpreter itself ignores these, and turns what they stand for into exceptions.
IGNORED_BY_PYTHON = frozenset((signal.SIGPIPE, signal.SIGXFSZ))


def main() -> None:
    runtime = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    helper = load(os.path.join(runtime, HELPER))
    check(helper.cellblock_begin(), "close itself to other processes")
    begin_clean()
    try:
        cellblock_kernel = import_kernel(runtime)
        cellblock_kernel.warm(sys.argv[1])
        if not helper.cellblock_is_alone():
            raise RuntimeError(f"warming up has left threads behind: {', '.join(threads())}")
    except BaseException:
        import traceback

        os.write(CONTROL, b"\0" + text(traceback.format_exc()))
        raise
    os.write(CONTROL, hello())

    served = helper.cellblock_serve()
    if served != 1:
        check(served, "serve the daemon")
        return
    become(cellblock_kernel, variables(helper))


def import_kernel(runtime: str) -> ModuleType:
    """The kernels' package with all its modules: what is not here is read and executed by every kernel."""
    # Found once, a package finds its own modules; the user's code need not find it.
    sys.path.insert(0, runtime)
    package = importlib.import_module("cellblock_kernel")
    sys.path.remove(runtime)
    own = os.path.splitext(os.path.basename(__file__))[0]
    for module in pkgutil.iter_modules(package.__path__):
        if module.name != own and not module.name.startswith("__"):
            importlib.import_module(f"{package.__name__}.{module.name}")
    return package


def load(path: str) -> ctypes.PyDLL:
    # PyDLL holds on to the interpreter during a call, as forking demands.
    helper = ctypes.PyDLL(path)
    helper.cellblock_variables.restype = ctypes.c_void_p
    helper.cellblock_variables_len.restype = ctypes.c_size_t
    return helper


def check(result: int, what: str) -> None:
    if result < 0:
        raise OSError(-result, f"failed to {what}: {os.strerror(-result)}")


def begin_clean() -> None:
    """Forgets what only exec can have passed on: ignored and blocked signals."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals() - IGNORED_BY_PYTHON:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def hello() -> bytes:
    version = ".".join(map(str, sys.version_info[:3]))
    modules = sorted(name for name in sys.modules if "." not in name and not name.startswith("_"))
    memory_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    listed = struct.pack("<I", len(modules)) + b"".join(map(text, modules))
    return b"\1" + text(version) + listed + struct.pack("<Q", memory_kib)


def text(value: str) -> bytes:
    encoded = value.encode("utf-8", "backslashreplace")
    return struct.pack("<I", len(encoded)) + encoded


def threads() -> list[str]:
    try:
        tasks = os.listdir("/proc/self/task")
        return [open(f"/proc/self/task/{task}/comm").read().strip() for task in tasks]
    except OSError:
        return ["unknown"]


def variables(helper: ctypes.PyDLL) -> dict[bytes, bytes]:
    block = ctypes.string_at(helper.cellblock_variables(), helper.cellblock_variables_len())
    entries = (entry.partition(b"=") for entry in block.split(b"\0") if entry)
    return {name: value for name, _, value in entries}


def become(kernel: ModuleType, environment: dict[bytes, bytes]) -> None:
    """Serves a cell. Ends by an exception: the kernel ends as a program does, and flushes what its user left open."""
    os.environb.clear()
    os.environb.update(environment)
    # What the interpreter reads of them when it starts, which was long ago and without any.
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    kernel.serve(CONTROL)


if __name__ == "__main__":
    main()
