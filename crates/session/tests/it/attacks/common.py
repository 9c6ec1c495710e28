# Prepended to every attack: each attempt is one call of `attempt`, and prints one line.
#
# The test runs each attack twice: in a cell, where every attempt must be refused, and outside, where those that CONTROL
# names must succeed, or they would prove nothing.
import ctypes, errno, os, platform, socket, struct, sys

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
ARM = platform.machine() == "aarch64"


def syscall(number, *arguments):
    """The raw call; raises OSError as Python's own calls do."""
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *wide)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attempt(name, what):
    """One attempt: it must raise OSError. `OPEN` in the output is what the test looks for."""
    if CONTROL is not None and name not in CONTROL:
        return
    try:
        got = what()
    except OSError as error:
        print(f"{name}: refused ({errno.errorcode.get(error.errno, error.errno)})")
    else:
        print(f"{name}: OPEN ({got!r:.200})")


def verdict(name, is_open, seen=""):
    """The same for what is found out in another way."""
    if CONTROL is None or name in CONTROL:
        print(f"{name}: OPEN ({seen!r:.200})" if is_open else f"{name}: refused")
