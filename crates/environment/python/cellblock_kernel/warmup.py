"""What a forkserver does once, before it forks kernels: imports a warm set and really uses it.

Importing is not enough: the first `describe`, the first plot and the first error each load and fill much more, and
whatever is not there yet costs every kernel its own time and memory. What must stay true afterwards: one thread, no
descriptor that was not open before, nothing of the exercise in the namespace, and everything frozen (`gc.freeze`), so
that a collection in a kernel does not touch, and thereby copy, the forkserver's pages.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile

# The kernel too, so that forked ones import nothing.
from . import entropy, figures, home, kernel, loops, native, questions, tracebacks  # noqa: F401
from .interpreter import Interpreter
from .interrupt import guarded
from .streams import Outlet, text_stream
from .wire import STDERR, STDOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHELL = """
import contextlib, dataclasses, datetime, functools, itertools, io, json, math, os, pathlib, random, re, subprocess
import asyncio, collections, csv, decimal, hashlib, statistics, tempfile, textwrap, time, typing, uuid, zipfile
%who
%time pass
%timeit -n1 -r1 pass
[1, 2.5, "text", {"key": (1, 2)}]
"""
_CAPTURE = "%%capture\n1"
_ERROR = "def f():\n    raise ValueError('warm')\nf()"
_QUESTIONS = ({"code": "text.join(pri"}, {"code": "import js"}, {"code": "''.jo"}, {"code": "x = (", "check": True})
_AWAIT = "await asyncio.sleep(0)"
_NUMPY = """
import numpy as np, numpy.random, numpy.linalg, numpy.fft
rng = np.random.default_rng(0); np.random.seed(0)
m = rng.normal(size=(32, 32)); np.random.rand(3)
np.linalg.inv(m) @ m; np.linalg.eigvals(m); np.linalg.svd(m); np.fft.fft(m)
np.sort(m, axis=0).mean(), np.percentile(m, 50), m.std(), np.histogram(m)
m
"""
_PANDAS = """
import pandas as pd
frame = pd.DataFrame({"number": range(64), "real": np.linspace(0, 1, 64), "text": ["a", "b"] * 32,
                      "day": pd.date_range("2024-01-01", periods=64)})
frame.groupby("text").agg({"real": ["mean", "sum"]}); frame.merge(frame, on="number"); frame.pivot_table(
    index="text", values="real"); frame.sort_values("real").head(); frame["real"].rolling(3).mean()
pd.read_csv(io.StringIO(frame.to_csv())); frame.info(); frame.to_json(); frame.isna().sum(); frame.set_index("day")
print(frame.describe())
frame.describe()
"""
_FIGURE = """
import matplotlib, matplotlib.pyplot as plt
%matplotlib inline
figure, axes = plt.subplots(1, 2)
frame.plot(y="real", ax=axes[0])
axes[0].plot([1, 2, 3], label="line"); axes[0].legend(); axes[0].set_title("title $x^2$"); axes[0].grid(True)
axes[1].bar(["a", "b"], [1, 2]); axes[1].hist([1, 2, 2]); axes[1].scatter([1, 2], [2, 1], c=[0, 1])
figure.colorbar(axes[1].collections[0]); figure.tight_layout(); figure.savefig(io.BytesIO(), dpi=100)
plt.show()
"""

#: What each level runs.
LEVELS = {
    "bare": (_SHELL, _CAPTURE, _ERROR, _AWAIT),
    "data": (_SHELL, _CAPTURE, _ERROR, _AWAIT, _NUMPY, _PANDAS, _FIGURE),
}
# Read by libraries when they are loaded; each would start threads otherwise.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MPLBACKEND": "agg",
}

#: The interpreter that a kernel takes over, its shell made; and how pools are resized. Set by `warm`.
ready: Interpreter | None = None
setters: list[Any] = []


def warm(level: str) -> dict[str, Any]:
    """Loads and exercises a warm set. Gives what is left: `threads`, `descriptors` (new ones), `modules` (a count).

    Raises RuntimeError where a thread or a descriptor is left, and whatever the exercise raises: a forkserver that
    could not be warmed must not fork.
    """
    global ready, setters
    descriptors = _descriptors()
    environment = dict(os.environ)
    streams = sys.stdout, sys.stderr, sys.modules["__main__"]
    gc.disable()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.update(_ONE_THREAD)
        os.environ["MPLCONFIGDIR"] = scratch
        home.link_fonts()
        outlet = Outlet()
        interpreter = Interpreter(outlet)
        sys.stdout, sys.stderr = text_stream(outlet, STDOUT), text_stream(outlet, STDERR)
        sys.modules["__main__"] = interpreter.main
        try:
            _exercise(interpreter, level)
        finally:
            sys.stdout, sys.stderr, sys.modules["__main__"] = streams
            os.environ.clear()
            os.environ.update(environment)
    _forget_folders()
    setters = native.thread_setters()
    ready = interpreter
    gc.enable()
    gc.collect()
    gc.freeze()
    threads, new = (
        len(os.listdir("/proc/self/task")),
        sorted(os.readlink(f"/proc/self/fd/{n}") for n in _descriptors() - descriptors),
    )
    if threads != 1 or new:
        raise RuntimeError(f"warming up `{level}` left {threads} threads and the descriptors {new}")
    return {"threads": threads, "descriptors": new, "modules": len(sys.modules)}


def _exercise(interpreter: Interpreter, level: str) -> None:
    native.install()
    figures.install(interpreter)
    interpreter.get_ipython()
    for cell in LEVELS[level]:
        _, error = guarded(interpreter.run, cell)
        if cell is _ERROR:
            tracebacks.describe(error)
        elif error is not None:
            raise error
        figures.flush()
    for question in _QUESTIONS:
        questions.answer(interpreter, question)
    ssl = sys.modules.get("_ssl")
    if ssl is not None:
        # Its generator is made here, so that a kernel need only stir it.
        ssl.RAND_bytes(1)
    loops.close()
    interpreter.clear()
    interpreter.modules.new()
    _close_fonts()


def _close_fonts() -> None:
    """Drops the fonts that matplotlib holds open: a kernel's descriptors are closed, and the numbers used again."""
    for module, name in (
        ("matplotlib.mathtext", "MathTextParser._parse_cached"),
        ("matplotlib.font_manager", "_get_font"),
    ):
        function: Any = sys.modules.get(module)
        for part in name.split("."):
            function = getattr(function, part, None)
        if hasattr(function, "cache_clear"):
            function.cache_clear()


def _forget_folders() -> None:
    """Makes matplotlib look for its folders again, in the kernel's home."""
    matplotlib = sys.modules.get("matplotlib")
    for name in ("get_configdir", "get_cachedir"):
        function = getattr(matplotlib, name, None)
        variables = getattr(function, "__code__", None)
        if function is None or variables is None:
            continue
        for variable, cell in zip(variables.co_freevars, function.__closure__ or (), strict=False):
            if variable == "called":
                cell.cell_contents = False


def _descriptors() -> set[int]:
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            os.fstat(int(name))
        except OSError:
            continue  # That of the listing itself.
        found.add(int(name))
    return found
