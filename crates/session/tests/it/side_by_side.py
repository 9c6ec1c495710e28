# One of many sessions: takes everything that has a name, under names that all of them use, and leaves its number there.
import ctypes, mmap, os, signal, socket, subprocess, sys, threading, time
from multiprocessing import shared_memory

mine = str(NUMBER).encode()
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
PLACES = ["/mnt/workspace/same", "/home/user/same", "/tmp/same", "/dev/shm/same", "/var/tmp/same-too"]
for place in PLACES:
    with open(place, "xb") as file:
        file.write(mine)


def checked(result, *_):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


# System V: memory and semaphores by one key; O_EXCL proves that nobody has it. There are no message queues.
KEY, NEW = 0x5A3E, 0o3600
memory = libc.shmat(checked(libc.shmget(KEY, 4096, NEW)), None, 0)
ctypes.memmove(memory, mine.ljust(8), 8)
checked(libc.semctl(checked(libc.semget(KEY, 1, NEW)), 0, 16, NUMBER))
assert libc.msgget(KEY, NEW) == -1 and ctypes.get_errno() == 38, "ENOSYS"
# POSIX: memory.
block = shared_memory.SharedMemory("same-block", create=True, size=64)
block.buf[:8] = mine.ljust(8)


def serve(server):
    while True:
        peer, _ = server.accept()
        peer.sendall(mine)
        peer.close()


abstract = socket.socket(socket.AF_UNIX)
abstract.bind("\0same")
abstract.listen()
port = socket.create_server(("127.0.0.1", 8000))
six = socket.create_server(("::1", 8000), family=socket.AF_INET6)
for server in (abstract, port, six):
    threading.Thread(target=serve, args=(server,), daemon=True).start()
child = subprocess.Popen(["sleep", "1000"])


def ask(family, address):
    with socket.socket(family) as there:
        there.connect(address)
        return there.recv(16)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def look():
    """Everything that is not this session's own."""
    own = {"places": [read(place) for place in PLACES], "block": bytes(block.buf[:8]).strip(),
           "System V memory": ctypes.string_at(memory, 8).strip(),
           "abstract": ask(socket.AF_UNIX, "\0same"), "port": ask(socket.AF_INET, ("127.0.0.1", 8000)),
           "port, IPv6": ask(socket.AF_INET6, ("::1", 8000)), "number": str(NUMBER).encode()}
    found = [f"{name}: {value}" for name, value in own.items() if value not in (mine, [mine] * len(PLACES))]
    if libc.semctl(libc.semget(KEY, 1, 0), 0, 12) != NUMBER:
        found.append("System V semaphore")
    for directory, names in {"/tmp": {"same", "same-too"}, "/dev/shm": {"same", "same-block"},
                             "/mnt/workspace": {"same"}}.items():
        if set(os.listdir(directory)) - names:
            found.append(f"{directory}: {os.listdir(directory)}")
    pids = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    parents = {pid: int(read(f"/proc/{pid}/stat").rsplit(b")")[-1].split()[1]) for pid in pids}
    strangers = {pid for pid in pids - {1, os.getpid()} if parents[pid] != os.getpid()}
    if strangers or child.pid not in pids:
        found.append(f"processes: {parents}")
    # An accepted connection bears its server's name.
    abstract = [line for line in open("/proc/net/unix") if "@" in line]
    if {line.split()[-1] for line in abstract} != {"@same"}:
        found.append(f"abstract names: {abstract}")
    if len(open("/proc/sysvipc/shm").readlines()) > 2:
        found.append("System V memory of others")
    return found


def draw():
    """One value of each source of randomness; a forkserver's kernels must differ in all of them."""
    import random, secrets, ssl, tempfile, uuid
    values = [random.random(), random.SystemRandom().random(), uuid.uuid4(), secrets.token_hex(8), os.urandom(8).hex(),
              ssl.RAND_bytes(8).hex(), tempfile.mktemp(), next(tempfile._get_candidate_names()),
              random.Random().random()]
    if "numpy" in sys.modules or WITH_NUMPY:
        import numpy
        values += [numpy.random.rand(), numpy.random.default_rng().random(), numpy.random.randint(1 << 62)]
    return [str(value) for value in values]


def namespaces():
    return [f"{name}={os.readlink(f'/proc/self/ns/{name}')}" for name in
            ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")]
