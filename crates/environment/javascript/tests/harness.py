"""Starts the kernel for JavaScript for its tests.

CELLBLOCK_TEST_RUNTIME is `node` (the default) or `deno`. CELLBLOCK_TEST_NODE and CELLBLOCK_TEST_DENO name the programs,
or they are found on PATH; CELLBLOCK_TEST_NODE_MODULES names the directory in which the kernel finds its parser, and
tests find libraries.
"""

import os
import re
import shutil
import signal
import socket
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from kernel_process import CANCEL, DONE, HEADER, LATE, NAMES, PATIENCE, RUN, Call, Gone, KernelTests, Spawned, cell  # noqa: E402, F401

NODE = os.environ.get("CELLBLOCK_TEST_NODE") or shutil.which("node")
MODULES = os.environ.get("CELLBLOCK_TEST_NODE_MODULES", "")
SOURCES = Path(__file__).resolve().parent.parent
KERNEL = SOURCES / "cellblock_kernel_js"
DENO = os.environ.get("CELLBLOCK_TEST_DENO") or shutil.which("deno")
#: The runtime under test: the tests run once for each.
RUNTIME = os.environ.get("CELLBLOCK_TEST_RUNTIME", "node")
COMMANDS = {
    "node": [NODE, "--no-force-async-hooks-checks", str(KERNEL / "node.mjs")],
    # Here each home is without Deno's cache, and making one would only cost time.
    "deno": [
        DENO, "run", "--quiet", "--allow-all", "--no-prompt", "--no-lock", "--no-config", "--no-code-cache",
        "--node-modules-dir=manual", "--sloppy-imports", "--inspect=127.0.0.1:0", "--inspect-publish-uid=http",
        str(KERNEL / "deno.mjs"),
    ],
}  # fmt: skip
PROGRAM = {"node": NODE, "deno": DENO}[RUNTIME]
only_node = unittest.skipIf(RUNTIME != "node", "of Node.js")
only_deno = unittest.skipIf(RUNTIME != "deno", "of Deno")


def quoted(text: str) -> str:
    """A value's text with quotes as Node sets them: Deno sets double ones."""
    return re.sub(r"\"([^\"'\\\\\n]*)\"", r"'\1'", text) if RUNTIME == "deno" else text


class Kernel(Spawned):
    """A kernel in a child process."""

    def __init__(self, env: dict[str, str] | None = None) -> None:
        super().__init__(env or {})

    def start(self, theirs: socket.socket, out: int, err: int, env: dict[str, str]) -> None:
        environment = {
            "PATH": f"{os.path.dirname(PROGRAM or '')}:/usr/bin:/bin",
            "DENO_NO_UPDATE_CHECK": "1",
            "NO_COLOR": "1",
            "NODE_PATH": str(self.home / ".local/lib/node_modules"),
            **({"CELLBLOCK_TEST_NODE_MODULES": MODULES} if MODULES else {}),
            **env,
        }
        self.process = self.spawn([*COMMANDS[RUNTIME], "--fd", "3"], theirs, out, err, environment)

    def interrupt(self, call: bytes) -> None:
        """The frame, and the signal."""
        self.send_raw(CANCEL, call, b"")
        self.process.send_signal(signal.SIGINT)


@unittest.skipUnless(PROGRAM, f"there is no {RUNTIME}")
class KernelCase(KernelTests):
    def new_kernel(self) -> Kernel:
        return Kernel(**self.options)

    def run_ok(self, code: str, **options: object) -> Call:
        return super().run_ok(cell(code), **options)

    def run_raised(self, code: str, name: str | None = None, **options: object) -> Call:
        return super().run_raised(cell(code), name, **options)

    def value(self, code: str, **options: object) -> str | None:
        value = self.run_ok(code, **options).value
        return value if value is None else quoted(value)
