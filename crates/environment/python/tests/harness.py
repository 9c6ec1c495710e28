"""Starts the kernel for Python for its tests.

The interpreter under test is CELLBLOCK_TEST_PYTHON, or the one that runs the tests; it needs IPython.
"""

import os
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from kernel_process import PATIENCE, RUN, Call, Gone, KernelProcess, KernelTests, Spawned, cell  # noqa: E402, F401

PYTHON = os.environ.get("CELLBLOCK_TEST_PYTHON") or sys.executable
SOURCES = Path(__file__).resolve().parent.parent
MAIN = SOURCES / "cellblock_kernel" / "__main__.py"


def has(module: str) -> bool:
    """Whether the interpreter under test can import it."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([PYTHON, "-c", code], check=False).returncode == 0


HAS_IPYTHON = has("IPython")
if not HAS_IPYTHON:
    sys.stderr.write(f"SKIPPED, LOUDLY: {PYTHON} has no IPython; set CELLBLOCK_TEST_PYTHON to one that has\n")


class Kernel(Spawned):
    """A kernel in a child process."""

    def __init__(self, argv: list[str] | None = None, env: dict[str, str] | None = None) -> None:
        self.argv = argv or [PYTHON, str(MAIN)]
        super().__init__(env or {})

    def start(self, theirs: socket.socket, out: int, err: int, env: dict[str, str]) -> None:
        environment = {"PATH": f"{os.path.dirname(PYTHON)}:/usr/bin:/bin", **env}
        self.process = self.spawn([*self.argv, "--fd", "3"], theirs, out, err, environment)

    def interrupt(self, call: bytes = b"") -> None:
        self.process.send_signal(signal.SIGINT)


@unittest.skipUnless(HAS_IPYTHON, f"{PYTHON} has no IPython")
class KernelCase(KernelTests):
    def new_kernel(self) -> KernelProcess:
        return Kernel(**self.options)
