import ctypes, errno, fcntl, json, mmap, os, resource, signal, socket, stat, struct, sys, time

FACTS = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
AT_FDCWD = -100


def check(result):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def call(number, *arguments):
    """A system call by its number on x86_64; those above 423 have one number everywhere."""
    if number < 424 and os.uname().machine != "x86_64":
        skip("the program knows the numbers of x86_64 alone")
    words = (each if isinstance(each, (bytes, ctypes.Array, ctypes.Structure)) or hasattr(each, "_obj")
             else ctypes.c_long(each) for each in arguments)
    return check(libc.syscall(ctypes.c_long(number), *words))


def show(found):
    """What the attack found; the harness looks for the secret in it."""
    print("found", found, flush=True)


def won():
    """The word, said when what was asked for has been had and used."""
    print("had it:", FACTS["word"], flush=True)


def skip(why):
    print("SKIP:", why, flush=True)
    os._exit(0)


def read(path, size=1 << 20):
    """All of a file, which those of /proc give in pieces."""
    found = b""
    with open(path, "rb", buffering=0) as file:
        while len(found) < size and (piece := file.read(size - len(found))):
            found += piece
    return found


def needs(path):
    """Without a wall it must be there, else nobody can go for it."""
    if FACTS["control"] and not os.path.exists(path):
        skip(f"this kernel has no {path}")
    return path


def reaches(error, act):
    """Whether a call gets as far as this error of its own, which comes after the question whether one may."""
    try:
        act()
    except OSError as failed:
        if failed.errno == errno.ENOSYS and FACTS["place"] == "stage" and FACTS["control"]:
            skip("this kernel has no such call")
        if failed.errno != error:
            raise
    won()


def late(signum, frame):
    print("BROKEN: nothing came of it in time", flush=True)
    os._exit(0)


def refused(kind, error, trace):
    # Whatever a wall does is an error of the system's. Anything else is a fault of the program, and proves nothing.
    word = "refused:" if issubclass(kind, (OSError, MemoryError)) else "BROKEN:"
    print(word, kind.__name__, error, flush=True)


sys.excepthook = refused
# A handler, since the first process of a PID namespace does not die of a signal that it does not handle.
signal.signal(signal.SIGALRM, late)
signal.alarm(20)
print("begun", flush=True)
