"""Runs a kernel as init does: a child process, a socket pair, two pipes; and speaks frames with it.

The interpreter under test is CELLBLOCK_TEST_PYTHON, or the one that runs the tests; it needs IPython.
"""

import base64
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
from pathlib import Path

PYTHON = os.environ.get("CELLBLOCK_TEST_PYTHON") or sys.executable
SOURCES = Path(__file__).resolve().parent.parent
MAIN = SOURCES / "cellblock_kernel" / "__main__.py"
HEADER = struct.Struct("<2sBBII16s")
RUN, READY, STDOUT, STDERR, DISPLAY, RESULT, DONE = 0x60, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85
NAMES = {
    READY: "ready",
    STDOUT: "stdout",
    STDERR: "stderr",
    DISPLAY: "display",
    RESULT: "result",
    DONE: "done",
}
#: Seconds after which a call that has not ended fails the test.
PATIENCE = 60.0


def cell(text: str) -> str:
    """A cell as it stands indented in a test."""
    return textwrap.dedent(text).strip("\n")


def has(module: str) -> bool:
    """Whether the interpreter under test can import it."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([PYTHON, "-c", code], check=False).returncode == 0


HAS_IPYTHON = has("IPython")
if not HAS_IPYTHON:
    sys.stderr.write(f"SKIPPED, LOUDLY: {PYTHON} has no IPython; set CELLBLOCK_TEST_PYTHON to one that has\n")


class Gone(Exception):
    """The kernel closed its socket."""


class Call:
    """All that came back for one call."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, bytes]] = []
        self.times: list[float] = []
        self.raw = {1: b"", 2: b""}
        self.report: dict = {}

    def text(self, name: str) -> str:
        return b"".join(data for kind, data in self.frames if kind == name).decode()

    @property
    def stdout(self) -> str:
        return self.text("stdout")

    @property
    def stderr(self) -> str:
        return self.text("stderr")

    @property
    def displays(self) -> list[dict]:
        return [json.loads(data) for kind, data in self.frames if kind == "display"]

    @property
    def result(self) -> dict | None:
        results = [json.loads(data) for kind, data in self.frames if kind == "result"]
        assert len(results) <= 1, results
        return results[0] if results else None

    @property
    def value(self) -> str | None:
        return self.result["data"]["text/plain"] if self.result else None

    @property
    def images(self) -> list[bytes]:
        return [
            base64.b64decode(shown["data"]["image/png"])
            for shown in self.displays
            if "image/png" in shown["data"]
        ]

    @property
    def status(self) -> str:
        return self.report["status"]

    @property
    def traceback(self) -> str:
        return self.report.get("traceback", "")


class Kernel:
    """A kernel in a child process."""

    def __init__(self, argv: list[str] | None = None, env: dict[str, str] | None = None) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="cellblock-test-"))
        self.work = self.home / "work"
        self.work.mkdir()
        self.ours, theirs = socket.socketpair()
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        self.pipes = {out: 1, err: 2}
        environment = {
            "PATH": f"{os.path.dirname(PYTHON)}:/usr/bin:/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "USER": "user",
            **(env or {}),
        }
        fd = theirs.fileno()
        argv = argv or [PYTHON, str(MAIN)]
        self.process = subprocess.Popen(
            [*argv, "--fd", str(fd)],
            stdin=subprocess.DEVNULL,
            stdout=out_end,
            stderr=err_end,
            pass_fds=[fd],
            env=environment,
            cwd=self.work,
        )
        theirs.close()
        os.close(out_end)
        os.close(err_end)
        self._input = b""
        self._raw = {1: b"", 2: b""}
        self._calls = 0
        kind, _, _ = self.frame()
        assert kind == READY, hex(kind)

    def __enter__(self) -> "Kernel":
        return self

    def __exit__(self, *_args: object) -> None:
        self.close()

    def close(self) -> None:
        self.ours.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for fd in self.pipes:
            os.close(fd)
        self.pipes = {}
        shutil.rmtree(self.home, ignore_errors=True)

    def send(self, code: str, **options: object) -> bytes:
        self._calls += 1
        call = self._calls.to_bytes(16, "little")
        self.send_raw(RUN, call, json.dumps({"code": code, **options}).encode())
        return call

    def send_raw(self, kind: int, call: bytes, payload: bytes) -> None:
        self.ours.sendall(HEADER.pack(b"CB", 1, kind, len(payload), 0, call) + payload)

    def frame(
        self, deadline: float | None = None, sink: dict[int, bytes] | None = None
    ) -> tuple[int, bytes, bytes]:
        """The next frame; meanwhile what comes through the pipes is kept."""
        sink = self._raw if sink is None else sink
        deadline = deadline or time.monotonic() + PATIENCE
        while True:
            if len(self._input) >= HEADER.size:
                magic, version, kind, length, subject, call = HEADER.unpack_from(self._input)
                assert magic == b"CB" and version == 1 and subject == 0, self._input[:64]
                if len(self._input) >= HEADER.size + length:
                    payload = self._input[HEADER.size : HEADER.size + length]
                    self._input = self._input[HEADER.size + length :]
                    return kind, call, payload
            self._pump(deadline - time.monotonic(), sink)

    def _pump(self, seconds: float, sink: dict[int, bytes]) -> None:
        ready, _, _ = select.select([self.ours, *self.pipes], [], [], max(0.0, seconds))
        if not ready:
            raise TimeoutError(f"no frame in time; pipes so far: {sink}")
        for source in ready:
            if source is self.ours:
                data = self.ours.recv(1 << 20)
                if not data:
                    raise Gone
                self._input += data
            else:
                data = os.read(source, 1 << 16)
                sink[self.pipes[source]] += data
                if not data:
                    os.close(source)
                    del self.pipes[source]

    def collect(self, call: bytes, until: str | None = None, result: Call | None = None) -> Call:
        """What comes for this call, to its end, or until this text has come through any way."""
        result = result or Call()
        deadline = time.monotonic() + PATIENCE
        while True:
            if (
                until is not None
                and until in result.stdout + result.stderr + (result.raw[1] + result.raw[2]).decode()
            ):
                return result
            if until is not None and not self._input:
                self._pump(deadline - time.monotonic(), result.raw)
                if not self._input:
                    continue
            kind, owner, payload = self.frame(deadline, result.raw)
            assert owner == call, (owner, call, NAMES[kind])
            if kind == DONE:
                result.report = json.loads(payload)
                self._drain_pipes(result.raw)
                return result
            result.frames.append((NAMES[kind], payload))
            result.times.append(time.monotonic())

    def _drain_pipes(self, sink: dict[int, bytes]) -> None:
        while self.pipes:
            ready, _, _ = select.select(list(self.pipes), [], [], 0)
            if not ready:
                break
            for fd in ready:
                data = os.read(fd, 1 << 16)
                sink[self.pipes[fd]] += data
                if not data:
                    os.close(fd)
                    del self.pipes[fd]
        for number, data in self._raw.items():
            sink[number] = data + sink[number]
        self._raw = {1: b"", 2: b""}

    def last_words(self) -> dict[int, bytes]:
        """All that came through the pipes, once every process that could write into them has ended."""
        for fd in list(self.pipes):
            while data := os.read(fd, 1 << 16):
                self._raw[self.pipes[fd]] += data
        return self._raw

    def run(self, code: str, **options: object) -> Call:
        return self.collect(self.send(code, **options))

    def send_question(self, code: str, cursor: int | None = None, check: bool = False) -> bytes:
        self._calls += 1
        call = self._calls.to_bytes(16, "little")
        question = {"code": code, "check": True} if check else {"code": code}
        if cursor is not None:
            question["cursor"] = cursor
        self.send_raw(RUN, call, json.dumps({"complete": question}).encode())
        return call

    def ask(self, code: str, cursor: int | None = None, check: bool = False) -> Call:
        """Asks about code, which is not run."""
        return self.collect(self.send_question(code, cursor, check))

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def interrupted(self, code: str, marker: str = "READY") -> Call:
        """Runs code, interrupts it once it has printed the marker, and gives all of the call."""
        call = self.send(code)
        result = self.collect(call, until=marker)
        assert not result.report, result.report
        self.interrupt()
        return self.collect(call, result=result)


@unittest.skipUnless(HAS_IPYTHON, f"{PYTHON} has no IPython")
class KernelCase(unittest.TestCase):
    """Tests of one kernel each."""

    maxDiff = 4000
    options: dict = {}

    def setUp(self) -> None:
        self.kernel = Kernel(**self.options)
        self.addCleanup(self.kernel.close)

    def run_ok(self, code: str, **options: object) -> Call:
        call = self.kernel.run(code, **options)
        self.assertEqual(call.status, "ok", call.traceback)
        return call

    def run_raised(self, code: str, name: str | None = None, **options: object) -> Call:
        call = self.kernel.run(code, **options)
        self.assertEqual(call.status, "raised", call.report)
        if name is not None:
            self.assertEqual(call.report["ename"], name, call.traceback)
        return call

    def assert_alive(self) -> None:
        self.assertEqual(self.run_ok("21 * 2").value, "42")
