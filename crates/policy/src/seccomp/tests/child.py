"""Confines itself with a program from stdin, then does what the first argument says, a line of output for each thing.

stdin: the program as hexadecimal, or `-` for none; then lines of `number argument ...` for `calls`.
"""

import asyncio
import ctypes
import fcntl
import mmap
import multiprocessing
import multiprocessing.shared_memory
import os
import pty
import resource
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def confine(program):
    code = ctypes.create_string_buffer(program, len(program))
    filter = Program(len(program) // 8, ctypes.addressof(code))
    assert libc.prctl(38, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS"
    assert libc.prctl(22, 2, ctypes.byref(filter), 0, 0) == 0, f"PR_SET_SECCOMP: {ctypes.get_errno()}"


def call(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_ulong(argument) for argument in arguments))
    return ctypes.get_errno() if result == -1 else 0


def square(number):
    return number * number


def threads():
    done = []
    workers = [threading.Thread(target=lambda: done.append(1)) for _ in range(8)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    assert len(done) == 8


def subprocesses():
    command = "echo one; echo two >&2; exit 3"
    done = subprocess.run(["sh", "-c", command], capture_output=True, start_new_session=True, close_fds=True)
    assert (done.stdout, done.stderr, done.returncode) == (b"one\n", b"two\n", 3)
    child = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 4"], {})
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4


def pools():
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map(square, range(10)) == [number * number for number in range(10)], method


def shared_memory():
    memory = multiprocessing.shared_memory.SharedMemory(create=True, size=1 << 20)
    memory.buf[:3] = b"abc"
    memory.close()
    memory.unlink()
    with mmap.mmap(-1, 1 << 20) as private:
        private[:3] = b"abc"
        private.madvise(mmap.MADV_DONTNEED)


def event_loop():
    async def echo(reader, writer):
        writer.write(await reader.read(100))
        writer.close()

    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello")
        assert await reader.read(100) == b"hello"
        writer.close()
        server.close()
        child = await asyncio.create_subprocess_exec("true")
        assert await child.wait() == 0
        assert await asyncio.to_thread(square, 3) == 9

    asyncio.run(main())


def sockets():
    one, two = socket.socketpair()
    with tempfile.TemporaryFile() as file:
        socket.send_fds(one, [b"x"], [file.fileno()])
        message, descriptors, _, _ = socket.recv_fds(two, 1, 1)
        assert message == b"x" and len(descriptors) == 1
        os.close(descriptors[0])
    assert socket.if_nameindex()[0][1] == "lo"
    assert socket.getaddrinfo("localhost", 80)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as routing:
        routing.bind((0, 0))
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(family, socket.SOCK_DGRAM) as datagrams:
            datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with socket.socket(family, socket.SOCK_STREAM) as stream:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def database():
    with tempfile.TemporaryDirectory() as directory:
        connection = sqlite3.connect(os.path.join(directory, "db"))
        connection.execute("pragma journal_mode=wal")
        connection.execute("create table t(x)")
        connection.executemany("insert into t values (?)", [(number,) for number in range(100)])
        connection.commit()
        assert connection.execute("select sum(x) from t").fetchone() == (4950,)
        connection.close()


def files():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "a")
        with open(path, "wb+") as file:
            file.write(b"x" * 100000)
            file.flush()
            os.fsync(file.fileno())
            fcntl.flock(file, fcntl.LOCK_EX)
            fcntl.lockf(file, fcntl.LOCK_EX)
            os.posix_fallocate(file.fileno(), 0, 200000)
            with open(path + "2", "wb") as copy:
                os.sendfile(copy.fileno(), file.fileno(), 0, 1000)
                os.copy_file_range(file.fileno(), copy.fileno(), 1000, 0)
        os.mkfifo(path + ".fifo")
        os.symlink("a", path + ".link")
        os.link(path, path + ".hard")
        os.rename(path + ".hard", path + ".renamed")
        os.utime(path, (1, 1))
        os.chmod(path, 0o600)
        os.truncate(path, 1)
        assert len(os.listdir(directory)) == 5
        assert sorted(entry.name for entry in os.scandir(directory))[0] == "a"
        watch = libc.inotify_init1(0)
        assert watch >= 0 and libc.inotify_add_watch(watch, directory.encode(), 0x100) >= 0
        os.close(watch)


def descriptors():
    event = os.eventfd(1)
    assert os.eventfd_read(event) == 1
    memory = os.memfd_create("name")
    os.ftruncate(memory, 4096)
    poll = select.epoll()
    poll.register(event, select.EPOLLOUT)
    assert poll.poll(1)
    child = os.fork()
    if child == 0:
        os._exit(5)
    process = os.pidfd_open(child)
    assert os.waitid(os.P_PIDFD, process, os.WEXITED).si_status == 5
    os.closerange(100, 200)


def terminal():
    child, control = pty.fork()
    if child == 0:
        os.execvp("sh", ["sh", "-c", "stty size; tty"])
    output = b""
    try:
        while chunk := os.read(control, 1000):
            output += chunk
    except OSError:
        pass
    os.waitpid(child, 0)
    assert b"/dev/pts/" in output, output


def signals():
    caught = []
    signal.signal(signal.SIGALRM, lambda *_: caught.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    while not caught:
        signal.pause()
    signal.pthread_kill(threading.get_ident(), 0)
    signal.pidfd_send_signal(os.pidfd_open(os.getpid()), 0)


def limits():
    os.sched_setaffinity(0, os.sched_getaffinity(0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    os.nice(1)
    assert len(os.getrandom(16)) == 16
    assert os.statvfs("/").f_bsize > 0


def harmless():
    for work in (threads, subprocesses, pools, shared_memory, event_loop, sockets, database, files, descriptors,
                 terminal, signals, limits):
        try:
            work()
            print("ok", work.__name__)
        except BaseException as error:
            print("failed", work.__name__, repr(error))


def foreign():
    """getpid as a 32-bit program calls it: mov eax, 20; int 0x80; ret."""
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    getpid = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    print("survived", getpid() == os.getpid(), flush=True)


if __name__ == "__main__":
    lines = sys.stdin.read().split("\n")
    if lines[0] != "-":
        confine(bytes.fromhex(lines[0]))
    if sys.argv[1] == "calls":
        for line in filter(None, lines[1:]):
            print(call(*map(int, line.split())))
    else:
        {"harmless": harmless, "foreign": foreign}[sys.argv[1]]()
