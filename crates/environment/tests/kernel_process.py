"""A kernel as init sees it: a socket pair on which frames are spoken, two pipes, and a directory of its own.

What the tests of all kernels share; each package's harness.py says how its kernel is started.
"""

import base64
import json
import os
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import textwrap
import time
import unittest
from pathlib import Path

HEADER = struct.Struct("<2sBBII16s")
RUN, CANCEL, READY, STDOUT, STDERR, DISPLAY, RESULT, DONE = 0x60, 0x61, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85
NAMES = {READY: "ready", STDOUT: "stdout", STDERR: "stderr", DISPLAY: "display", RESULT: "result", DONE: "done"}
LATE = bytes(16)
#: Seconds after which a call that has not ended fails the test.
PATIENCE = float(os.environ.get("CELLBLOCK_TEST_PATIENCE", "60"))


def cell(text: str) -> str:
    """A cell as it stands indented in a test."""
    return textwrap.dedent(text).strip("\n")


class Gone(Exception):
    """The kernel closed its socket."""


class Call:
    """All that came back for one call, and what came late meanwhile."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, bytes]] = []
        self.times: list[float] = []
        self.late: list[tuple[str, bytes]] = []
        self.raw = {1: b"", 2: b""}
        self.report: dict = {}

    def text(self, name: str, late: bool = False) -> str:
        return b"".join(data for kind, data in (self.late if late else self.frames) if kind == name).decode()

    @property
    def stdout(self) -> str:
        return self.text("stdout")

    @property
    def stderr(self) -> str:
        return self.text("stderr")

    @property
    def late_stdout(self) -> str:
        return self.text("stdout", late=True)

    @property
    def late_stderr(self) -> str:
        return self.text("stderr", late=True)

    @property
    def everything(self) -> str:
        said = self.stdout + self.stderr + self.late_stdout + self.late_stderr
        return said + (self.raw[1] + self.raw[2]).decode()

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


class KernelProcess:
    """A kernel in a process of its own."""

    def __init__(self, env: dict[str, str]) -> None:
        self.home = Path(os.path.realpath(tempfile.mkdtemp(prefix="cellblock-test-")))
        self.work = self.home / "work"
        self.work.mkdir()
        self.ours, theirs = socket.socketpair()
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        self.pipes = {out: 1, err: 2}
        self._input = b""
        self._raw = {1: b"", 2: b""}
        self._calls = 0
        try:
            self.start(theirs, out_end, err_end, {"HOME": str(self.home), "LANG": "C.UTF-8", "USER": "user", **env})
        except BaseException:
            shutil.rmtree(self.home, ignore_errors=True)
            raise
        theirs.close()
        os.close(out_end)
        os.close(err_end)
        kind, _, _ = self.frame()
        assert kind == READY, hex(kind)

    def start(self, theirs: socket.socket, out: int, err: int, env: dict[str, str]) -> None:
        """Starts the process with these ends."""
        raise NotImplementedError

    def spawn(self, argv: list[str], theirs: socket.socket, out: int, err: int, env: dict[str, str]) -> subprocess.Popen:
        """Starts a program that finds the socket where init puts it, as descriptor 3."""
        place = f'exec "$@" 3<&{theirs.fileno()} {theirs.fileno()}<&-'
        return subprocess.Popen(
            ["/bin/sh", "-c", place, "sh", *argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            pass_fds=[theirs.fileno()],
            env=env,
            cwd=self.work,
        )

    def wait(self) -> None:
        """Waits for the end of a process whose socket is closed."""
        raise NotImplementedError

    def __enter__(self) -> "KernelProcess":
        return self

    def __exit__(self, *_args: object) -> None:
        self.close()

    def close(self) -> None:
        self.ours.close()
        self.wait()
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

    def frame(self, deadline: float | None = None, sink: dict[int, bytes] | None = None) -> tuple[int, bytes, bytes]:
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
                    raise Gone(self.last_words())
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
            if until is not None and until in result.everything:
                return result
            if until is not None and len(self._input) < HEADER.size:
                self._pump(deadline - time.monotonic(), result.raw)
                if len(self._input) < HEADER.size:
                    continue
            kind, owner, payload = self.frame(deadline, result.raw)
            if owner == LATE:
                result.late.append((NAMES[kind], payload))
                continue
            assert owner == call, (owner, call, NAMES[kind])
            if kind == DONE:
                result.report = json.loads(payload)
                self._drain_pipes(result.raw)
                return result
            result.frames.append((NAMES[kind], payload))
            result.times.append(time.monotonic())

    def late(self, until: str) -> Call:
        """What comes while no call runs, until this text has come."""
        return self.collect(LATE, until=until)

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

    def interrupt(self, call: bytes) -> None:
        """As init does it."""
        raise NotImplementedError

    def interrupted(self, code: str, marker: str = "READY", **options: object) -> Call:
        """Runs code, interrupts it once it has printed the marker, and gives all of the call."""
        call = self.send(code, **options)
        result = self.collect(call, until=marker)
        assert not result.report, result.report
        self.interrupt(call)
        return self.collect(call, result=result)


class Spawned(KernelProcess):
    """One that is a child of the tests."""

    process: subprocess.Popen

    def wait(self) -> None:
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class KernelTests(unittest.TestCase):
    """Tests of one kernel each."""

    maxDiff = 4000
    options: dict = {}

    def new_kernel(self) -> KernelProcess:
        raise NotImplementedError

    def setUp(self) -> None:
        self.kernel = self.new_kernel()
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
