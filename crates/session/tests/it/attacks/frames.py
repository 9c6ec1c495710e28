# The kernel's own code speaks over its socket to init as it likes.
import array, json, os, socket, struct, time

FD = next(fd for fd in range(3, 64) if os.path.islink(f"/proc/self/fd/{fd}")
          and os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"))
STATE, EXITED, BROKEN, SOFT, RUN = 0x40, 0x43, 0x46, 0x48, 0x60
READY, STDOUT, STDERR, DISPLAY, RESULT, DONE = range(0x80, 0x86)


def frame(kind, payload=b"", call=1, kernel=0, length=None, magic=b"CB", version=1):
    length = len(payload) if length is None else length
    return struct.pack("<2sBBII16s", magic, version, kind, length, kernel, call.to_bytes(16, "little")) + payload


def send(data):
    view = memoryview(data)
    while view:
        view = view[os.write(FD, view):]


def flood(data, bytes):
    for _ in range(bytes // len(data)):
        send(data)
