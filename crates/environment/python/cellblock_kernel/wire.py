"""Frames over the one socket that a kernel has.

The layout is the `protocol` crate's; the other end is the cell's init, which is trusted.

What must stay true: a frame is written whole or not at all, whatever happens to the code that caused it. Code that
prints may be interrupted at any bytecode, by our SIGINT or by a handler of its own that raises (a time-out by SIGALRM
is an everyday idiom), also right after `write(2)` has returned and before its result could be stored. So a frame
stays at the head of the queue with the counts of what was written of it, and those counts are appended by C code
(`list.extend(map(os.write, …))`), within which Python looks at no signal. Whoever drains next goes on where the last
one was thrown out. Blocking signals around the write would cost two system calls a frame and does not help when
another thread of the process receives the signal. Reading needs no such care: it is done where no handler raises.

Plain reads and writes on the descriptor rather than `socket`: init sets SO_PASSCRED, so credentials come along
either way, and a cold start does not pay for the import.
"""

import errno
import os
import struct
from collections import deque
from os import _exit
from time import sleep

VERSION = 1

RUN = 0x60
READY = 0x80
STDOUT = 0x81
STDERR = 0x82
DISPLAY = 0x83
RESULT = 0x84
DONE = 0x85

# Magic, version, kind, length of the payload, subject (always 0 here), call.
HEADER = struct.Struct("<2sBBII16s")
NO_CALL = bytes(16)

#: The ioctl SIOCOUTQ: bytes that the other end has not read.
_UNREAD = 0x5411
#: How often, and how long between, to look whether init has read: 50 ms at most.
_TURNS = 500
_NAP = 0.0001

#: Code closed the socket, or put something else in its place, as a daemon does that closes all it has.
_CLOSED_HERE = frozenset({errno.EBADF, errno.ENOTSOCK})
_GONE = frozenset({errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN}) | _CLOSED_HERE
#: The status of an interpreter that cannot speak any more: EX_SOFTWARE of sysexits.h.
_MUTE = 70


def _tell_closed() -> None:
    """Ends the interpreter, which has nobody to report to, and says why on the pipe that is left."""
    try:
        os.write(2, b"the code closed the descriptor through which its interpreter speaks: it ends here\n")
    except OSError:
        pass
    _exit(_MUTE)


class Wire:
    """Our end of the socket."""

    def __init__(self, fd: int) -> None:
        os.set_inheritable(fd, False)
        os.set_blocking(fd, True)
        self._fd = fd
        self._fds = (fd,)
        self._input = bytearray()
        #: Frames to be written: the bytes of each, and how many of them each write took.
        self.queue: deque[tuple[bytes, list[int]]] = deque()
        self._writing = False

    def receive(self) -> tuple[int, bytes, bytes] | None:
        """The next frame as (kind, call, payload); None when the other end is gone."""
        if not self._fill(HEADER.size):
            return None
        magic, version, kind, length, _subject, call = HEADER.unpack_from(self._input)
        if magic != b"CB" or version != VERSION:
            return None
        end = HEADER.size + length
        if not self._fill(end):
            return None
        payload = bytes(memoryview(self._input)[HEADER.size : end])
        del self._input[:end]
        return kind, call, payload

    def _fill(self, size: int) -> bool:
        while len(self._input) < size:
            try:
                chunk = os.read(self._fd, max(65536, size - len(self._input)))
            except OSError as error:
                if error.errno in _GONE:
                    return False
                raise
            if not chunk:
                return False
            self._input += chunk
        return True

    @staticmethod
    def pack(kind: int, call: bytes, payload: bytes) -> tuple[bytes, list[int]]:
        """A frame as the queue holds it. Queueing is left to the caller, who has something to forget with it."""
        return HEADER.pack(b"CB", VERSION, kind, len(payload), 0, call) + payload, []

    def drain(self) -> None:
        """Writes all that is queued. The caller holds the outlet's lock."""
        while self._write_some():
            pass

    def _write_some(self) -> bool:
        """Writes once. Gives whether there may be more to write.

        Entered again from within (a destructor or a signal handler that prints), it leaves the work to the outer one.
        No loop here: the jump back to its beginning is a place where Python 3.13 looks at signals, and does not run
        the `finally` around it.
        """
        if self._writing:
            return False
        self._writing = True
        try:
            if not self.queue:
                return False
            data, counts = self.queue[0]
            sent = sum(counts)
            if sent >= len(data):
                self.queue.popleft()
            else:
                counts.extend(map(os.write, self._fds, (memoryview(data)[sent:],)))
            return True
        except OSError as error:
            # An exception class is not enough: a user's handler may well raise TimeoutError here.
            if error.errno in _CLOSED_HERE:
                _tell_closed()
            if error.errno in _GONE:
                _exit(0)
            raise
        finally:
            self._writing = False

    def settle(self) -> None:
        """Waits until init has read what was written, though not for long.

        What a child writes to its pipe from now on then reaches init after it: where both have something, init takes
        the pipes first.
        """
        from fcntl import ioctl

        for turn in range(_TURNS):
            if not any(ioctl(self._fd, _UNREAD, bytes(4))):
                return
            if turn < 8:
                os.sched_yield()
            else:
                sleep(_NAP)

    def abandon(self) -> None:
        """Closes the socket, in a child that was forked from us."""
        self.queue.clear()
        try:
            os.close(self._fd)
        except OSError:
            pass
