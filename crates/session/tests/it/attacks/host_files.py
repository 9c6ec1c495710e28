# The host's files, and other cells'.
from pathlib import Path

secrets = [
    "/etc/shadow", "/etc/sudoers", "/etc/machine-id", "/etc/hostname", "/etc/ssh", "/etc/ssl/private",
    "/root/.ssh", "/home/someone", "/var/log", "/var/lib", "/var/run/docker.sock", "/run/docker.sock",
    "/run/systemd", "/run/user", "/run/cellblock", "/boot", "/srv", "/media", "/lost+found",
    "/.cells", "/.proc", "/sys/fs/cgroup/cgroup.procs", "/sys/kernel", "/sys/class", "/sys/module",
    "/proc/1/root/etc/shadow", "/proc/1/environ", "/proc/1/maps", "/proc/1/mem", "/proc/1/fd/3", "/proc/kcore",
    "/proc/sysrq-trigger", "/proc/self/root/.cells", "/dev/mem", "/dev/kmem", "/dev/kmsg", "/dev/sda", "/dev/vda",
    "/dev/kvm", "/dev/fuse", "/dev/net/tun", "/dev/loop-control", "/usr/local/bin", "/usr/src/linux",
]


def read(path):
    path = Path(path)
    found = os.listdir(path) if path.is_dir() else path.open("rb").read(64)
    if not found:
        raise OSError(errno.ENOENT, "empty")
    return found


for secret in secrets:
    attempt(secret, lambda: read(secret))

verdict("homes", os.listdir("/home") != ["user"], os.listdir("/home"))
verdict("the data directory", os.path.lexists(HOST_DATA), HOST_DATA)

# What there is to see of processes is the cell's own.
pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
verdict("processes", not len(pids) < 20, pids)
own = {line.split()[4] for line in open("/proc/self/mountinfo")}
verdict("mounts", own & {"/.cells", "/.proc", "/host", "/var", "/home"}, own)
names = {line.split(":")[0] for line in open("/etc/passwd")}
verdict("users", names != {"root", "user", "nobody"}, names)
variables = {name for name in os.environ if name.startswith(("CARGO", "RUST", "CELLBLOCK", "AWS", "SSH", "XDG"))}
verdict("variables", variables, variables)
host = open("/proc/sys/kernel/hostname").read().strip()
verdict("host name", host != "cell" or socket.gethostname() != "cell", host)

# Nothing that all cells share can be written.
for place in ["/", "/usr/bin", "/usr/lib", "/etc", "/opt", "/opt/cellblock/env", "/opt/cellblock/env/bin",
              "/opt/cellblock/runtime", "/proc/sys/kernel", "/sys", "/mnt", "/home", "/dev", "/var", "/run", "/root"]:
    attempt(f"write {place}", lambda: Path(place, "planted").write_text("x"))
for file in ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/etc/passwd",
             "/usr/bin/env", "/proc/1/uid_map", "/proc/self/uid_map"]:
    def write():
        descriptor = os.open(file, os.O_WRONLY)
        try:
            return os.write(descriptor, b"1")
        finally:
            os.close(descriptor)
    attempt(f"write {file}", write)
# Where the host gives one id for everything, init is the same user, who may make it a likelier victim of its own cell's
# lack of memory, and harm nobody else.
if os.stat("/proc/1").st_uid != os.getuid():
    attempt("write /proc/1/oom_score_adj", lambda: Path("/proc/1/oom_score_adj").write_text("1000"))
attempt("core pattern by remount", lambda: syscall(40 if ARM else 165, b"none", b"/proc/sys", b"", 32 | 4096, None))
attempt("set-uid program", lambda: os.setuid(0))
attempt("become init", lambda: os.setuid(999))
attempt("become another cell", lambda: os.setuid(1001))
attempt("join groups", lambda: os.setgroups([0, 4, 27]))
