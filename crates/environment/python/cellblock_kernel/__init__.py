"""The Python kernel of a cell: an interpreter that keeps its variables between calls, as IPython does.

It runs inside the cell as the cell's user and has three ways out: a socket to init, over which it speaks frames
(`wire`), and the pipes at descriptors 1 and 2, into which child processes and native code write. Nothing here is a
wall: user code can do to its own kernel whatever it likes, and init believes nothing that a kernel says.

The map, from outside in:

    kernel        reads a call, runs it, reports        ending       what a program does before it is gone
    wire          frames                                warmup       what a forkserver does before it forks
    streams       stdout, stderr, one order             entropy      what a kernel does right after the fork
    interrupt     when SIGINT is raised                 home         search path, and fonts of the session's home
    interpreter   the namespace; what running means     native       C's stdout, thread pools
    cells         from source to code objects           imports      doing something after an import
    tracebacks    exceptions as text                    refusals     input(), getpass(), pdb
    display       MIME bundles                          figures      matplotlib
    loops         top-level await                       commands     !command, %%bash, os.system
    shell         IPython, where a cell needs it        layer        packages that the session installs
    questions     completion, before code is run        charts        figures as data; artists, series, scales
    forms         what we add to MIME bundles           tables        data frames as data

Only the standard library is imported up front, and of it little: a cold kernel is what `cellblock run` waits for.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


def serve(fd: int) -> NoReturn:
    """Serves init at this descriptor, an inherited stream socket.

    The process is the cell's already: its user, root, working directory and environment. Ends by raising SystemExit
    with the interpreter's status, so that files are flushed by Python's own exit: let it pass. Where init goes away it
    ends at once. After [`warm`] it takes over the warm interpreter, with random state and thread pools of its own; where
    the session has installed something in place of what is warm, the process begins anew, and cold.
    """
    import sys

    from . import layer, native
    from .interpreter import Interpreter
    from .kernel import Kernel
    from .streams import Outlet

    warmed = sys.modules.get(f"{__name__}.warmup")
    interpreter = None
    if warmed is not None and warmed.ready is not None:
        if layer.shadowed():
            layer.begin_cold(fd)
        interpreter = warmed.ready
        reseed()
    native.set_threads(native.cpus(), warmed.setters if warmed else [])
    Kernel(fd, interpreter or Interpreter(Outlet())).serve()


def warm(level: str) -> dict[str, Any]:
    """In a forkserver, before it forks: loads and exercises what a level holds, `bare` or `data`.

    Gives `threads`, `descriptors` and `modules`; raises RuntimeError where a thread or a descriptor is left.
    """
    from .warmup import warm as warm_up

    return warm_up(level)


def reseed() -> None:
    """After a fork: no two kernels of a forkserver share random state. `serve` does it by itself."""
    from .entropy import reseed as reseed_all

    reseed_all()
