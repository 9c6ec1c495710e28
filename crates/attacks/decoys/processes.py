"""Processes, the names that they live under, and programs that have more power than who runs them."""

import json
import os
import resource
import shutil
import socket
import struct
import time

from common import OUTSIDE, SECRET, WALLS_APART, WORKSPACE, Skip, child, decoy, needs_root, secret_file, write


def planted_program(prepare):
    needs_root()
    facts = {"programs": []}
    for directory in (WORKSPACE, OUTSIDE):
        program, path = os.path.join(directory, "reveal"), os.path.join(directory, "secret.txt")
        shutil.copy(WALLS_APART, program)
        os.chmod(program, 0o755)
        prepare(program)
        write(path, SECRET)
    inside = "/mnt/workspace"
    facts["programs"] = [[os.path.join(each, "reveal"), os.path.join(each, "secret.txt")] for each in (WORKSPACE, inside, OUTSIDE)]
    return facts


def setuid_program():
    return planted_program(lambda program: os.chmod(program, 0o4755))


def capable_program():
    # Version 2, effective; permitted: CAP_DAC_READ_SEARCH.
    value = struct.pack("<IIIII", 0x02000001, 1 << 2, 0, 0, 0)
    return planted_program(lambda program: os.setxattr(program, "security.capability", value))


PROCESS = """
import ctypes, json, os, sys
libc = ctypes.CDLL(None)
secret = ctypes.create_string_buffer(os.environ["SECRET"].encode())
mark = ctypes.create_string_buffer(b"untouched")
name = os.memfd_create("of " + os.environ["SECRET"])
os.write(name, os.environ["SECRET"].encode())
import mmap
os.ftruncate(name, 4096)
mapped = mmap.mmap(name, 4096)
print(json.dumps(dict(pid=os.getpid(), secret=ctypes.addressof(secret), mark=ctypes.addressof(mark), descriptor=name,
                      length=len(secret.value))), flush=True)
for line in sys.stdin:
    print(json.dumps(mark.value.decode()), flush=True)
"""


def process():
    """A process with a secret in its memory, its environment, a file, and its working directory."""
    secret_file()
    running, facts = child(PROCESS, env={"SECRET": SECRET})
    limit = resource.prlimit(running.pid, resource.RLIMIT_NOFILE)

    def tampered():
        try:
            if resource.prlimit(running.pid, resource.RLIMIT_NOFILE) != limit:
                return True
            running.stdin.write(b"\n")
            running.stdin.flush()
            return json.loads(running.stdout.readline()) != "untouched"
        except (OSError, ValueError):
            # It is gone, or going.
            return True

    decoy.changed = tampered
    return facts


def named_process():
    """A process with a UTS namespace of its own, in which the host's name is the secret."""
    needs_root()
    program = f"""
import ctypes, json, os, socket, sys
assert ctypes.CDLL(None).unshare(0x04000000) == 0
socket.sethostname({SECRET!r})
print(json.dumps(dict(pid=os.getpid())), flush=True)
sys.stdin.read()
"""
    return child(program)[1]


def host_name():
    """The name of the host, that of the stage where there is one."""
    before = socket.gethostname()

    def renamed():
        if socket.gethostname() == before:
            return False
        socket.sethostname(before)
        return True

    decoy.changed = renamed
    return {}


def cgroup():
    """A cgroup whose name is the secret, with the attack in it."""
    needs_root()
    for line in open("/proc/mounts"):
        _, place, kind, options = line.split()[:4]
        if kind == "cgroup2" or kind == "cgroup" and "name=" in options:
            path = os.path.join(place, f"cellblock-decoy-{SECRET}")
            break
    else:
        raise Skip("no cgroup is mounted here")
    try:
        os.mkdir(path)
    except OSError as error:
        raise Skip(f"no cgroup can be made in {place}: {error}")
    decoy.farewells.append(lambda: leave(path))
    decoy.before_run = lambda: write_only(os.path.join(path, "cgroup.procs"), str(os.getpid()))
    return {}


def leave(path):
    for _ in range(1000):
        try:
            return os.rmdir(path)
        except OSError:
            time.sleep(0.005)


def write_only(path, text):
    descriptor = os.open(path, os.O_WRONLY)
    os.write(descriptor, text.encode())
    os.close(descriptor)
