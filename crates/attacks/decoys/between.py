"""What processes share: segments, queues, keys, sockets."""

import ctypes
import os
import socket
import struct
import threading
import time

from common import OUTSIDE, SECRET, Skip, check, decoy, libc, secret_file


KEY = 0x5ec0000 | int(SECRET[:4], 16)
IPC_CREAT, IPC_RMID = 0o1000, 0


def segment():
    identity = check(libc.shmget(KEY, 4096, IPC_CREAT | 0o600))
    decoy.farewells.append(lambda: libc.shmctl(identity, IPC_RMID, None))
    ctypes.memmove(libc.shmat(identity, None, 0), SECRET.encode(), len(SECRET))
    return {"key": KEY}


def semaphore():
    identity = check(libc.semget(KEY, 1, IPC_CREAT | 0o600))
    decoy.farewells.append(lambda: libc.semctl(identity, 0, IPC_RMID))
    decoy.changed = lambda: libc.semctl(identity, 0, 12) != 0
    return {"key": KEY}


def queue():
    identity = check(libc.msgget(KEY, IPC_CREAT | 0o600))
    decoy.farewells.append(lambda: libc.msgctl(identity, IPC_RMID, None))
    message = struct.pack("l", 1) + SECRET.encode()
    check(libc.msgsnd(identity, message, len(SECRET), 0))
    return {"key": KEY}


def posix_queue():
    name = f"/cellblock-decoy-{SECRET[:8]}".encode()
    attributes = (ctypes.c_long * 8)(0, 4, 128, 0)
    opened = libc.mq_open(name, os.O_RDWR | os.O_CREAT, 0o600, attributes)
    if opened < 0:
        raise Skip("this kernel has no POSIX message queues")
    decoy.farewells.append(lambda: (libc.mq_unlink(name), os.close(opened)))
    check(libc.mq_send(opened, SECRET.encode(), len(SECRET), 0))
    return {"name": name.decode()}


def key(name=None):
    """A key of the user's, which every process of that user finds."""
    if os.uname().machine != "x86_64":
        raise Skip("the program knows the numbers of x86_64 alone")
    name = name or f"cellblock-decoy-{SECRET[:8]}"
    identity = libc.syscall(248, b"user", name.encode(), SECRET.encode(), len(SECRET), -4)
    if identity < 0:
        raise Skip(f"keys cannot be kept here: {os.strerror(ctypes.get_errno())}")
    decoy.farewells.append(lambda: libc.syscall(250, 9, identity, -4, 0, 0))
    # Whoever is the user may do with it what he likes.
    check(libc.syscall(250, 5, identity, 0x3f3f0000, 0, 0))
    return {"id": identity, "name": name}


def named_key():
    """A key whose name is the secret."""
    key(f"of {SECRET}")
    return {}


def tell(server):
    def serve():
        while True:
            peer, _ = server.accept()
            peer.sendall(SECRET.encode())
            peer.close()

    threading.Thread(target=serve, daemon=True).start()


def tcp():
    server = socket.create_server(("127.0.0.1", 0))
    tell(server)
    return {"port": server.getsockname()[1]}


def udp():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve():
        while True:
            _, peer = server.recvfrom(100)
            server.sendto(SECRET.encode(), peer)

    threading.Thread(target=serve, daemon=True).start()
    return {"port": server.getsockname()[1]}


def talk():
    """Datagrams with the secret, on the host's loopback, again and again."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def speak():
        while True:
            server.sendto(SECRET.encode(), server.getsockname())
            time.sleep(0.02)

    threading.Thread(target=speak, daemon=True).start()
    return {}


def abstract():
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"\0cellblock-decoy-{SECRET[:8]}")
    server.listen()
    tell(server)
    return {"name": f"cellblock-decoy-{SECRET[:8]}"}


def unix():
    server = socket.socket(socket.AF_UNIX)
    # The name has room for 107 bytes.
    here = os.open(OUTSIDE, os.O_RDONLY)
    server.bind(f"/proc/self/fd/{here}/socket")
    path = os.path.join(OUTSIDE, "socket")
    os.chmod(path, 0o666)
    server.listen()
    tell(server)
    return {"directory": OUTSIDE}


def giver():
    """A server that hands an open file to whoever connects."""
    path = secret_file()
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"\0cellblock-decoy-{SECRET[:8]}")
    server.listen()

    def serve():
        while True:
            peer, _ = server.accept()
            with open(path) as opened:
                socket.send_fds(peer, [b"x"], [opened.fileno()])

    threading.Thread(target=serve, daemon=True).start()
    return {"name": f"cellblock-decoy-{SECRET[:8]}"}


def secret_name():
    """A socket whose name is the secret."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"\0{SECRET}")
    server.listen()
    decoy.kept.append(server)
    return {}
