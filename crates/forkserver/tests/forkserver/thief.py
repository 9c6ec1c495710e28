"""Watches for new processes of its cell and takes what it can get of them.

Confinement only ever grows, so what could be taken from a process that is unconfined *afterwards* was to be had too
early. One that is gone by then never was a kernel: kernels stay to the end.
"""

import ctypes
import os
import time

SEIZE, INTERRUPT, DETACH, WALL, PIDFD_GETFD = 0x4206, 0x4207, 17, 0x40000000, 438
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
stolen = []


def unconfined(pid):
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    capable = int(fields["CapEff"], 16) or int(fields["CapPrm"], 16)
    return capable or fields["Seccomp"].strip() != "2" or fields["NoNewPrivs"].strip() != "1"


def pounce(seconds):
    """Ids follow each other: waits for a process where it will appear. Gives how many it got hold of."""
    newest, seized, end = os.getpid(), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for pid in range(newest + 1, newest + 8):
            if libc.ptrace(SEIZE, pid, 0, 0) != 0:
                continue
            # Stopped, it cannot become confined while it is looked at.
            libc.ptrace(INTERRUPT, pid, 0, 0)
            libc.waitpid(pid, None, WALL)
            if unconfined(pid):
                stolen.append(("ptrace", pid))
            libc.ptrace(DETACH, pid, 0, 0)
            newest, seized = pid, seized + 1
    return seized


def scan(seconds):
    """Tries every door of every process that it sees. Gives how many processes that were."""
    seen, end = {1, os.getpid()}, time.monotonic() + seconds
    while time.monotonic() < end:
        for pid in [int(name) for name in os.listdir("/proc") if name.isdigit()]:
            if pid not in seen:
                # Until it is no kernel on its way any more.
                while attempt_all(pid):
                    pass
                seen.add(pid)
    return len(seen)


def attempt_all(pid):
    try:
        before = unconfined(pid)
    except OSError:
        return False
    for what, take in DOORS.items():
        try:
            got = take(pid)
        except OSError:
            continue
        if got is None:
            continue
        try:
            after = unconfined(pid)
        except OSError:
            after = before
        if after:
            stolen.append((what, got))
    return before


def descriptors(pid):
    # Their numbers can be listed where a host has one id for everything; what they are cannot be told.
    return [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")] or None


def content(file):
    def read(pid):
        with open(f"/proc/{pid}/{file}", "rb", buffering=0) as opened:
            if file == "mem":
                # The same forkserver: the same addresses.
                opened.seek(id(None))
            # Of a process that has ended, there is a file and nothing in it.
            return opened.read(8) or None

    return read


def duplicate(pid):
    process = os.pidfd_open(pid)
    try:
        for number in range(12):
            got = libc.syscall(PIDFD_GETFD, process, number, 0)
            if got >= 0:
                os.close(got)
                return number
    finally:
        os.close(process)


DOORS = {"fd": descriptors, "pidfd_getfd": duplicate}
for name in ("mem", "maps", "environ", "auxv"):
    DOORS[name] = content(name)
for name in ("root", "cwd", "exe", "ns/mnt", "ns/user"):
    DOORS[name] = lambda pid, name=name: os.readlink(f"/proc/{pid}/{name}")
