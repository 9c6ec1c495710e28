# A daemon that outlives its kernel, and waits for the next one to enter the cell: it takes what it can get of it before
# it is confined. What it finds goes to stolen.txt, what it did to watched.txt.
import ctypes, json, os, stat, sys, time

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long] * 4
ARM = os.uname().machine == "aarch64"
OWN = {os.getpid()}
seen, tried, stolen = set(), 0, []


def is_watcher(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read() == "watcher\n"
    except OSError:
        return False


def status(pid):
    try:
        with open(f"/proc/{pid}/status") as file:
            return dict(line.split(":\t", 1) for line in file.read().splitlines())
    except OSError:
        return None


def confined(pid):
    """Whether it is a process of the cell's as all are; one that has ended says nothing."""
    fields = status(pid)
    return fields is None or (int(fields["CapEff"], 16) == 0 and fields["Seccomp"] == "2" and fields["NoNewPrivs"] == "1"
                              and set(fields["Uid"].split()) == {"1000"})


def attempt(pid, what, take):
    global tried
    tried += 1
    try:
        got = take()
    except (OSError, ValueError):
        return
    # Confinement only ever grows: who is not confined after it was taken from, was not before.
    if got and not confined(pid):
        stolen.append((pid, what, repr(got)[:100]))


def descriptors(pid):
    links = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            link = os.readlink(f"/proc/{pid}/fd/{number}")
        except OSError:
            continue
        links.append(link)
        foreign = ("pidfd" in link or "cgroup" in link or "tasks" in link or "memfd" in link
                   or link.startswith("anon_inode") and "eventfd" not in link and "eventpoll" not in link)
        if foreign:
            stolen.append((pid, f"descriptor {number}", link))
        elif link.startswith(("socket:", "pipe:")) and int(number) > 3 and pid not in OWN:
            stolen.append((pid, f"descriptor {number} of a kernel that has just come", link))
    return links


def reopen(pid):
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            held = os.open(f"/proc/{pid}/fd/{number}", os.O_RDWR | os.O_NONBLOCK)
        except OSError:
            continue
        if stat.S_ISREG(os.fstat(held).st_mode):
            stolen.append((pid, f"opened {number}", os.readlink(f"/proc/self/fd/{held}")))
        os.close(held)


def memory(pid):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as file:
        file.seek(id(None))  # the same forkserver: the same addresses
        return file.read(8)


def take(pid, number):
    process = os.pidfd_open(pid)
    try:
        got = libc.syscall(438, process, number, 0)
        if got >= 0:
            stolen.append((pid, f"took {number}", os.readlink(f"/proc/self/fd/{got}")))
    finally:
        os.close(process)


def seize(pid):
    if libc.ptrace(0x4206, pid, 0, 0) == 0:
        stolen.append((pid, "seized", ""))


def watch():
    while not os.path.exists("stop"):
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == 1 or int(name) in OWN:
                continue
            pid = int(name)
            if is_watcher(pid):
                continue
            seen.add(pid)
            attempt(pid, "descriptors", lambda: descriptors(pid))
            attempt(pid, "reopened", lambda: reopen(pid))
            attempt(pid, "memory", lambda: memory(pid))
            for link in ("root", "cwd", "exe", "ns/mnt", "ns/user"):
                attempt(pid, link, lambda: os.readlink(f"/proc/{pid}/{link}"))
            attempt(pid, "root's content", lambda: os.listdir(f"/proc/{pid}/root/.cells"))
            for file in ("environ", "maps", "auxv"):
                attempt(pid, file, lambda: open(f"/proc/{pid}/{file}", "rb").read(8))
            for number in (0, 3, 4, 5, 6, 7, 8):
                attempt(pid, number, lambda: take(pid, number))
            attempt(pid, "ptrace", lambda: seize(pid))
    with open(f"watched-{os.getpid()}.json", "w") as file:
        json.dump({"seen": len(seen), "tried": tried, "stolen": stolen[:20]}, file)


# Both must have their name before either looks.
begin, begun = os.pipe()
open("wait", "w").close()
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        OWN.add(os.getpid())
        libc.prctl(15, b"watcher", 0, 0, 0)
        os.write(begun, b"x")
        while os.path.exists("wait"):
            time.sleep(0.001)
        for number in range(3):
            os.dup2(os.open("/dev/null", os.O_RDWR), number)
        os.closerange(3, 100)
        try:
            watch()
        except BaseException as error:
            with open(f"watched-{os.getpid()}.json", "w") as file:
                json.dump({"seen": 0, "tried": 0, "stolen": [repr(error)]}, file)
        os._exit(0)
    os.wait()
    os.read(begin, 1)
os.remove("wait")
