"""What is measured, from the client's side; the same in a cell and outside of one.

The server greets with a byte, so that a connection counts when a byte has come all the way.
"""

import json
import socket
import sys
import time


def connected(to):
    family = socket.AF_INET6 if ":" in to[0] else socket.AF_INET
    stream = socket.socket(family, socket.SOCK_STREAM)
    stream.connect(to)
    if stream.recv(1) != b"g":
        raise ConnectionError("the server did not greet")
    return stream


def received(to, seconds):
    """Bytes a second."""
    buffer = bytearray(1 << 20)
    with connected(to) as stream:
        stream.sendall(b"r")
        begun = now = time.perf_counter()
        total = 0
        while now < begun + seconds:
            count = stream.recv_into(buffer)
            if count == 0:
                raise ConnectionError("the server ended")
            total += count
            now = time.perf_counter()
        return total / (now - begun)


def sent(to, seconds):
    """Bytes a second, as the server counted them."""
    data = memoryview(bytes(1 << 20))
    with connected(to) as stream:
        stream.sendall(b"s")
        begun = time.perf_counter()
        while time.perf_counter() < begun + seconds:
            stream.send(data)
        stream.shutdown(socket.SHUT_WR)
        total = int.from_bytes(stream.recv(8, socket.MSG_WAITALL), "big")
        return total / (time.perf_counter() - begun)


def connects(to, count):
    """Seconds from the call of connect to the first byte, of each connection."""
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        stream = connected(to)
        times.append(time.perf_counter() - begun)
        stream.close()
    return times


def measured(address, port, seconds, count):
    to = (address, int(port))
    connects(to, 10)
    return {
        "received": received(to, float(seconds)),
        "sent": sent(to, float(seconds)),
        "connects": connects(to, int(count)),
    }


print(json.dumps(measured(*sys.argv[1:])))
