"""Libraries that are not Python: the C library's own buffer of standard output, and thread pools.

C code that prints with `printf` fills a buffer of the C library, which writes it when it is full, because descriptor 1
is a pipe. It is set to write at every newline, and emptied at the end of a call. That needs `ctypes`, which a cold
start does not pay for before a library that could print is loaded.

Thread pools: a forkserver is single-threaded, so BLAS and OpenMP are held at one thread there and raised to the
cell's CPUs in each kernel. The functions are looked up in the libraries that are mapped, by the names they are known
under; `threadpoolctl` does the same and is not part of every environment.
"""

from __future__ import annotations

import os
import sys

from . import imports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_libc: Any = None
_LINE_BUFFERED = 1
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_MAX_THREADS")
# What a mapped library's name contains, and the functions that set its number of threads.
_SETTERS = (
    (
        "openblas",
        (
            "scipy_openblas_set_num_threads64_",
            "scipy_openblas_set_num_threads",
            "openblas_set_num_threads64_",
            "openblas_set_num_threads",
        ),
    ),
    ("libgomp", ("omp_set_num_threads",)),
    ("libomp", ("omp_set_num_threads",)),
    ("libiomp", ("omp_set_num_threads",)),
    ("libmkl_rt", ("MKL_Set_Num_Threads",)),
)


def install() -> None:
    """C's standard output is written line by line as soon as `ctypes` is there."""
    if _libc is None:
        imports.after("ctypes", _line_buffer)
    if sys.version_info >= (3, 14):
        imports.after("multiprocessing.context", _fork_by_default)


def _line_buffer(module: ModuleType) -> None:
    global _libc
    libc = module.CDLL(None)  # type: ignore[attr-defined]
    stdout = module.c_void_p.in_dll(libc, "stdout")  # type: ignore[attr-defined]
    libc.setvbuf(stdout, None, _LINE_BUFFERED, module.c_size_t(0))  # type: ignore[attr-defined]
    _libc = libc


def _fork_by_default(module: ModuleType) -> None:
    # Functions that a cell defined cannot be imported by a process that was not forked from here.
    module._default_context._default_context = module._concrete_contexts["fork"]  # type: ignore[attr-defined]


def flush(libraries: bool) -> None:
    """Writes what C code printed; without libraries, and without `ctypes`, there is none that could have."""
    if _libc is None and libraries:
        import ctypes  # noqa: F401
    if _libc is not None:
        _libc.fflush(None)


def thread_setters() -> list[Any]:
    """The functions that set the number of threads of the pools loaded now."""
    import ctypes

    found = []
    for path in sorted(_mapped()):
        name = os.path.basename(path)
        for part, functions in _SETTERS:
            if part in name:
                library = ctypes.CDLL(path)
                setter = next((getattr(library, each) for each in functions if hasattr(library, each)), None)
                if setter is not None:
                    found.append(setter)
    return found


def cpus() -> int:
    """How many threads a pool shall have: what the environment says, or the CPUs that the process may use."""
    try:
        said = int(os.environ.get("OMP_NUM_THREADS", ""))
    except ValueError:
        said = 0
    return said if said > 0 else len(os.sched_getaffinity(0))


def set_threads(count: int, setters: list[Any]) -> None:
    """Sets the size of the pools that are loaded, and of those that libraries or children will make."""
    for name in _VARIABLES:
        os.environ.setdefault(name, str(count))
    for setter in setters:
        setter(count)


def _mapped() -> set[str]:
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        return {line[line.index("/") :].rstrip("\n") for line in maps if ".so" in line and "/" in line}
