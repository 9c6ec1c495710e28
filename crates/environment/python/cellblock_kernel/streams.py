"""What the interpreter says: `sys.stdout`, `sys.stderr` and everything else that goes out, in one exact order.

Text is written through at every newline and carriage return while a program prints at a human pace, and at every
flush that it asks for. A program that prints faster than [`BURST`] times in [`WINDOW`] seconds is coalesced into
frames of at most [`CHUNK`] bytes, which a thread sends every [`PAUSE`] seconds; the thread starts when it is first
needed and ends when it is not, because a second thread makes `os.fork()` warn.

Both streams share one queue with displays and results, so their order on the wire is the order in which they were
written. The text layer is the standard `io.TextIOWrapper` (written through), so `reconfigure`, `buffer`, `encoding`
and the rest behave as in any program.

In a forked child the socket is closed and the same objects (handlers of `logging` hold on to them) write to
descriptors 1 and 2, which init reads as pipes.

What is written while no call runs (a thread that prints) waits for the next call, up to [`IDLE`] bytes.
"""

from __future__ import annotations

import io
import os
from _thread import RLock, start_new_thread
from time import monotonic, sleep

from .wire import STDERR, STDOUT, Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 64 << 10
BURST = 200
WINDOW = 0.1
PAUSE = 0.02
IDLE = 256 << 10
#: Bytes of data that we add to what a call shows.
DATA = 1 << 20

_NAMES = {STDOUT: "<stdout>", STDERR: "<stderr>"}
_FDS = {STDOUT: 1, STDERR: 2}


class Outlet:
    """The one way out of the interpreter. With no wire (warming up) everything is dropped."""

    def __init__(self, wire: Wire | None = None) -> None:
        self.wire = wire
        self.lock = RLock()
        self.forked = False
        #: How much data beside pictures and tables the call may still send, bytes.
        self.data_left = 0
        self._call: bytes | None = None
        # Text not yet sent: runs of (kind, bytes) in the order written. Other kinds wait here only between calls.
        self._runs: list[tuple[int, bytearray]] = []
        self._size = 0
        self._taken: list[tuple[int, bytearray]] = []
        self._pushing = False
        self._window = 0.0
        self._left = BURST
        self._flushing = False

    def begin(self, call: bytes) -> None:
        """From here on everything belongs to this call."""
        with self.lock:
            self._call = call
            self.data_left = DATA
            self._push()

    def end(self, kind: int, payload: bytes) -> None:
        """Sends the rest and the call's last frame."""
        with self.lock:
            self._push()
            if self.wire is not None and self._call is not None:
                frame = self.wire.pack(kind, self._call, payload)
                # First: what a signal handler prints from here on belongs to the next call.
                self._call = None
                self.wire.queue.append(frame)
                self.wire.drain()

    def write(self, kind: int, data: bytes) -> None:
        """Takes text of one stream."""
        with self.lock:
            runs = self._runs
            if self._call is None and not self.forked and (self.wire is None or self._size > IDLE):
                return
            if runs and runs[-1][0] == kind:
                runs[-1][1].extend(data)
            else:
                # Made before it is put anywhere: a destructor or a handler may run in here, and send all there is.
                run = (kind, bytearray(data))
                self._runs.append(run)
            self._size += len(data)
            if self._size >= CHUNK:
                self._push()
            elif b"\n" in data or b"\r" in data:
                self.flush()

    def flush(self) -> None:
        """Sends what was written, now or within [`PAUSE`]."""
        with self.lock:
            if not self._runs:
                return
            now = monotonic()
            if now - self._window > WINDOW:
                self._window = now
                self._left = BURST
            if self._left > 0 or self.forked:
                self._left -= 1
                self._push()
            elif not self._flushing:
                self._start_flusher()

    def flush_now(self) -> None:
        """Sends what was written: the program asked for it, and may die the next moment."""
        with self.lock:
            self._push()

    def settle(self) -> None:
        """Sends what was written and sees it arrive, before a child may write by another way."""
        with self.lock:
            self._push()
            if self.wire is not None:
                self.wire.settle()

    def send(self, kind: int, payload: bytes) -> None:
        """Sends a frame that is not text, after all that was written before it."""
        with self.lock:
            if self.wire is None:
                return
            if self._call is None:
                if self._size + len(payload) <= IDLE:
                    run = (kind, bytearray(payload))
                    self._runs.append(run)
                    self._size += len(payload)
                return
            self._push()
            self.wire.queue.append(self.wire.pack(kind, self._call, payload))
            self.wire.drain()

    def _push(self) -> None:
        """Sends all that was written.

        It may be entered again from within, by a destructor or a signal handler that prints, and be thrown out of by
        a handler that raises. Python looks at signals after a call and not between assignments, so text is at every
        such moment in one of three places, and in one only: written, taken, queued.
        """
        if self.forked:
            runs, self._runs, self._size = self._runs, [], 0
            for kind, data in runs:
                _write_all(_FDS[kind], data)
            return
        while self._push_some():
            pass

    def _push_some(self) -> bool:
        # As in `wire`, no loop within the `try`.
        if self.wire is None or self._call is None or self._pushing:
            return False
        self._pushing = True
        try:
            if not self._taken:
                self._taken, self._runs, self._size = self._runs, [], 0
            if self._taken:
                frames = self._packed(self.wire, self._call)
                extend = self.wire.queue.extend
                self._taken = []
                extend(frames)
            self.wire.drain()
            return bool(self._runs)
        finally:
            self._pushing = False

    def _packed(self, wire: Wire, call: bytes) -> list[tuple[bytes, list[int]]]:
        return [wire.pack(kind, call, part) for kind, data in self._taken for part in _parts(kind, data)]

    def _start_flusher(self) -> None:
        self._flushing = True
        try:
            start_new_thread(self._flush_later, ())
        except RuntimeError:
            # No thread to be had: the processes limit is reached.
            self._flushing = False
            self._push()

    def _flush_later(self) -> None:
        quiet = 0
        while True:
            sleep(PAUSE)
            with self.lock:
                if self._runs and self._call is not None:
                    quiet = 0
                    self._push()
                elif quiet < 10:
                    quiet += 1
                else:
                    self._flushing = False
                    return

    # Around a fork. The lock is held across it, so that the child never inherits a half-written frame or a lock
    # that a thread it does not have would have to release.

    def before_fork(self) -> None:
        """Runs in the parent, before."""
        self.lock.acquire()
        try:
            self.settle()
        except Exception:
            pass

    def after_fork_in_parent(self) -> None:
        """Runs in the parent, after."""
        self.lock.release()

    def after_fork_in_child(self) -> None:
        """Runs in the child: from now on it is an ordinary process that writes to 1 and 2."""
        self.lock = RLock()
        self.forked = True
        self._flushing = False
        self._runs, self._size = [], 0
        self._taken, self._pushing = [], False
        wire, self.wire = self.wire, None
        if wire is not None:
            wire.abandon()


class FrameBuffer(io.BufferedIOBase):
    """The binary layer below `sys.stdout` or `sys.stderr`."""

    def __init__(self, outlet: Outlet, kind: int) -> None:
        self._outlet = outlet
        self._kind = kind
        self._write: Callable[[int, bytes], None] = outlet.write
        self.name = _NAMES[kind]
        self.mode = "wb"

    def write(self, data) -> int:
        if type(data) is not bytes:
            data = bytes(memoryview(data))
        self._write(self._kind, data)
        return len(data)

    def flush(self) -> None:
        self._outlet.flush_now()

    def close(self) -> None:
        # `sys.stdout.close()` must not silence the session.
        self._outlet.flush()

    def fileno(self) -> int:
        return _FDS[self._kind]

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True


def text_stream(outlet: Outlet, kind: int) -> io.TextIOWrapper:
    """A text stream into the outlet.

    Lone surrogates (file names that are not UTF-8) come out as escapes: what is sent is always valid text.
    """
    buffer = FrameBuffer(outlet, kind)
    stream = io.TextIOWrapper(
        buffer, encoding="utf-8", errors="backslashreplace", newline="\n", write_through=True
    )
    stream.mode = "w"
    return stream


def _parts(kind: int, data: bytearray) -> list[bytes]:
    if len(data) <= CHUNK or kind not in _FDS:
        return [bytes(data)]
    parts = []
    start = 0
    while start < len(data):
        end = min(start + CHUNK, len(data))
        # A frame does not end within a character.
        for _ in range(3):
            if end < len(data) and data[end] & 0xC0 == 0x80:
                end -= 1
        parts.append(bytes(data[start:end]))
        start = end
    return parts


def _write_all(fd: int, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except OSError:
            return
