# Another cell that lives beside this one: OTHER says where on the host its things are and what they are called, which
# is more than anybody in a cell can know.
import glob, mmap

PIDS, DIRECTORY, ABSTRACT, PORT = OTHER["pids"], OTHER["directory"], OTHER["abstract"], OTHER["port"]

for name in ("workspace/secret.txt", "home/secret.txt"):
    attempt(f"read its {name}", lambda: open(f"{DIRECTORY}/{name}").read())
attempt("list its directory", lambda: os.listdir(DIRECTORY))
attempt("connect to its init", lambda: socket.socket(socket.AF_UNIX).connect(OTHER["socket"]))
for pid in PIDS:
    attempt(f"signal its process {PIDS.index(pid)}", lambda: os.kill(pid, 0))
    attempt(f"open its process {PIDS.index(pid)}", lambda: os.pidfd_open(pid))
    for file in ("mem", "maps", "environ", "status", "cmdline", "mountinfo"):
        attempt(f"read {file} of its process {PIDS.index(pid)}", lambda: open(f"/proc/{pid}/{file}", "rb").read(1))
    for link in ("root", "cwd", "exe", "fd/3", "ns/mnt"):
        attempt(f"follow {link} of its process {PIDS.index(pid)}", lambda: os.readlink(f"/proc/{pid}/{link}"))
    attempt(f"its secret through process {PIDS.index(pid)}", lambda: open(f"/proc/{pid}/root/tmp/secret.txt").read())


def talk(family, address):
    with socket.socket(family) as there:
        there.settimeout(3)
        there.connect(address)
        return there.recv(16)


attempt("its abstract socket", lambda: talk(socket.AF_UNIX, "\0" + ABSTRACT))
attempt("its port", lambda: talk(socket.AF_INET, ("127.0.0.1", PORT)))
attempt("its shared memory", lambda: open("/dev/shm/secret").read())
attempt("its temporary file", lambda: open("/tmp/secret.txt").read())
attempt("its System V memory", lambda: syscall(194 if ARM else 29, 0x5EC, 4096, 0o666))

# Memory and disk that were another cell's come empty.
pages = mmap.mmap(-1, 64 << 20)
verdict("pages of memory", pages[:] != bytes(len(pages)))
with open("blocks", "wb+") as file:
    file.truncate(16 << 20)
    verdict("blocks of the disk", file.read() != bytes(16 << 20))
os.remove("blocks")

# Only what somebody wrote here can be here.
found = [path for place in ("/mnt/workspace", "/home/user", "/tmp", "/dev/shm")
         for path in glob.glob(f"{place}/**/*secret*", recursive=True)]
verdict("its files under our names", found, found)
