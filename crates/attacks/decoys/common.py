"""What all decoys have in common: where they are planted, and how they tell that they were had."""

import ctypes
import json
import os
import subprocess
import sys

NAME, SECRET, PLACE, SCRATCH, WORKSPACE, ENVIRONMENT, WALLS_APART = sys.argv[1:]
ROOT = os.geteuid() == 0
# As root a mount and a UTS namespace stand between the attack and the machine.
STAGED = ROOT and PLACE == "stage"
OUTSIDE = os.path.join(SCRATCH, "outside")
PYTHON = os.path.join(ENVIRONMENT, "base/bin/python3")

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
libc.shmat.restype = ctypes.c_void_p


class Decoy:
    """The one that is planted."""

    def __init__(self):
        # What to do at the end.
        self.farewells = []
        # Descriptors that the attack is started with, and what must stay open.
        self.handed = []
        self.kept = []
        # What the attack's process does before it runs.
        self.before_run = None
        # Whether it was tampered with.
        self.changed = lambda: False


decoy = Decoy()


class Skip(Exception):
    """It cannot be planted here."""


def check(result):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def needs_root():
    if not ROOT:
        raise Skip("only root can plant this decoy")


def write(path, text, mode=0o600):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def secret_file():
    return write(os.path.join(OUTSIDE, "secret.txt"), SECRET)


def child(program, **more):
    """A process of the host's that prints a line when it is ready; it, and what it printed."""
    process = subprocess.Popen([PYTHON, "-I", "-S", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               cwd=OUTSIDE, **more)
    decoy.farewells.append(lambda: (process.kill(), process.wait()))
    return process, json.loads(process.stdout.readline())


def mount(source, target, flags, kind=None):
    encode = lambda text: None if text is None else text.encode()
    check(libc.mount(encode(source), target.encode(), encode(kind), flags, None))
