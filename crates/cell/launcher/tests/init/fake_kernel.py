"""A kernel for tests: runs the Python that a call brings, with words to say anything that a hostile one would.

Called with the number of the descriptor that is its socket.
"""

import array
import os
import signal
import socket
import struct
import subprocess
import sys
import time

HEADER = struct.Struct("<2sBBII16s")
READY, STDOUT, STDERR, DISPLAY, RESULT, DONE = 0x80, 0x81, 0x82, 0x83, 0x84, 0x85
RUN, CANCEL, STATE, KERNEL_EXITED = 0x60, 0x61, 0x40, 0x43

sock = socket.socket(fileno=int(sys.argv[1]))


class NoDone(Exception):
    """The call is not to be ended by the loop below."""


def frame(kind, payload=b"", kernel=0, call=1, version=1):
    # Any call but none, which would say that it is late: init knows which one runs.
    payload = payload.encode() if isinstance(payload, str) else payload
    return HEADER.pack(b"CB", version, kind, len(payload), kernel, call.to_bytes(16, "little")) + payload


def send(*args, **named):
    sock.sendall(frame(*args, **named))


def receive(count):
    data = bytearray()
    while len(data) < count:
        part = sock.recv(min(count - len(data), 1 << 20))
        if not part:
            os._exit(0)
        data += part
    return bytes(data)


def loop():
    global length, call
    while True:
        magic, version, kind, length, kernel, call = HEADER.unpack(receive(HEADER.size))
        assert (magic, version) == (b"CB", 1) and kind in (RUN, CANCEL)
        code = receive(length)
        if kind == CANCEL:
            # It came with a signal, which was enough.
            continue
        call = int.from_bytes(call, "little")
        report = "done"
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            exec(code.split(b"\0", 1)[0], globals())
        except KeyboardInterrupt:
            report = "interrupted"
        except NoDone:
            continue
        except Exception as error:
            report = repr(error)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        send(DONE, report, kernel, call)


signal.signal(signal.SIGINT, signal.SIG_IGN)
try:
    os.setsid()
except OSError:
    pass
if len(sys.argv) > 2:
    exec(sys.argv[2])
else:
    send(READY)
loop()
