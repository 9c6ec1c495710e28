# Mounts, namespaces, ptrace, io_uring, keyrings and other doors of the kernel, by number.
import signal

X86 = dict(ptrace=101, mount=165, umount2=166, pivot_root=155, chroot=161, unshare=272, setns=308, clone=56,
           clone3=435, keyctl=250, add_key=248, request_key=249, bpf=321, perf_event_open=298, userfaultfd=323,
           open_by_handle_at=304, name_to_handle_at=303, process_vm_readv=310, process_vm_writev=311, kcmp=312,
           init_module=175, finit_module=313, delete_module=176, kexec_load=246, reboot=169, swapon=167, acct=163,
           settimeofday=164, clock_settime=227, sethostname=170, iopl=172, ioperm=173, quotactl=179, mknod=133,
           fsopen=430, fsmount=432, move_mount=429, open_tree=428, mount_setattr=442, pidfd_getfd=438,
           vhangup=153, personality=135, lookup_dcookie=212, syslog=103, move_pages=279)
A64 = dict(ptrace=117, mount=40, umount2=39, pivot_root=41, chroot=51, unshare=97, setns=268, clone=220,
           clone3=435, keyctl=219, add_key=217, request_key=218, bpf=280, perf_event_open=241, userfaultfd=282,
           open_by_handle_at=265, name_to_handle_at=264, process_vm_readv=270, process_vm_writev=271, kcmp=272,
           init_module=105, finit_module=273, delete_module=106, kexec_load=104, reboot=142, swapon=224, acct=89,
           settimeofday=170, clock_settime=112, sethostname=161, quotactl=60, mknodat=33, fsopen=430, fsmount=432,
           move_mount=429, open_tree=428, mount_setattr=442, pidfd_getfd=438, vhangup=58, personality=92,
           lookup_dcookie=18, syslog=116, move_pages=239)
N = A64 if ARM else X86


def in_child(what):
    """The same result or error, of a process of its own."""
    child = os.fork()
    if child == 0:
        try:
            what()
            os._exit(0)
        except OSError as error:
            os._exit(error.errno)
    failed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if failed:
        raise OSError(failed, os.strerror(failed))
    return "done"


for flag, name in {0x10000000: "user", 0x20000: "mount", 0x40000000: "net", 0x20000000: "pid", 0x8000000: "ipc",
                   0x4000000: "uts", 0x2000000: "cgroup", 0x80: "time"}.items():
    def unshare():
        # In a child: it would change this process for all that follows.
        return in_child(lambda: syscall(N["unshare"], flag))
    attempt(f"unshare {name}", unshare)
    if flag > 0xFF:  # below, clone takes it for the signal at exit
        def clone():
            child = syscall(N["clone"], flag | signal.SIGCHLD, 0, 0, 0, 0)
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
            return child
        attempt(f"clone {name}", clone)
attempt("clone3", lambda: syscall(N["clone3"], struct.pack("<11Q", 0x10000000, *([0] * 10)), 88))
for name in ["user", "mnt", "net", "pid"]:
    def join():
        descriptor = os.open(f"/proc/1/ns/{name}", os.O_RDONLY)
        return syscall(N["setns"], descriptor, 0)
    attempt(f"setns {name}", join)
attempt("setns own", lambda: syscall(N["setns"], os.open("/proc/self/ns/net", os.O_RDONLY), 0))

attempt("mount tmpfs", lambda: syscall(N["mount"], b"none", b"/mnt/workspace", b"tmpfs", 0, None))
attempt("mount proc", lambda: syscall(N["mount"], b"proc", b"/tmp", b"proc", 0, None))
attempt("bind root", lambda: syscall(N["mount"], b"/", b"/tmp", None, 4096, None))
attempt("remount rw", lambda: syscall(N["mount"], b"none", b"/usr", None, 32 | 4096, None))
attempt("umount mask", lambda: syscall(N["umount2"], b"/proc/kcore", 2))
attempt("umount sys", lambda: syscall(N["umount2"], b"/sys", 2))
attempt("pivot_root", lambda: syscall(N["pivot_root"], b"/tmp", b"/tmp"))
attempt("chroot", lambda: syscall(N["chroot"], b"/tmp"))
attempt("fsopen", lambda: syscall(N["fsopen"], b"tmpfs", 0))
attempt("open_tree", lambda: syscall(N["open_tree"], -100, b"/", 1))
attempt("mount_setattr", lambda: syscall(N["mount_setattr"], -100, b"/usr", 0, b"\0" * 32, 32))

child = os.fork()
if child == 0:
    signal.pause()
    os._exit(0)
attempt("ptrace attach", lambda: syscall(N["ptrace"], 16, child, 0, 0))
attempt("ptrace init", lambda: syscall(N["ptrace"], 0x4206, 1, 0, 0))
attempt("ptrace traceme", lambda: syscall(N["ptrace"], 0, 0, 0, 0))
target, buffer = ctypes.create_string_buffer(b"x" * 63), ctypes.create_string_buffer(64)
vector, remote = (struct.pack("<QQ", ctypes.addressof(each), 64) for each in (buffer, target))
attempt("read a child's memory", lambda: syscall(N["process_vm_readv"], child, vector, 1, remote, 1, 0))
attempt("write init's memory", lambda: syscall(N["process_vm_writev"], 1, vector, 1, vector, 1, 0))
attempt("kcmp", lambda: syscall(N["kcmp"], 1, os.getpid(), 0, 3, 3))
attempt("pidfd_getfd", lambda: syscall(N["pidfd_getfd"], os.pidfd_open(1), 3, 0))
attempt("kill init", lambda: os.kill(1, 0) if os.getuid() != os.stat("/proc/1").st_uid else
        (_ for _ in ()).throw(OSError(errno.EPERM, "same user: signals to PID 1 are dropped by the kernel")))
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)

for name in ["io_uring_setup", "io_uring_enter", "io_uring_register"]:
    number = {"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427}[name]
    attempt(name, lambda: syscall(number, 8, ctypes.create_string_buffer(256), 0, 0, 0, 0))
attempt("keyctl session", lambda: syscall(N["keyctl"], 0, -3, 1))
attempt("keyctl join", lambda: syscall(N["keyctl"], 1, b"x"))
attempt("add_key", lambda: syscall(N["add_key"], b"user", b"name", b"secret", 6, -3))
attempt("request_key", lambda: syscall(N["request_key"], b"user", b"name", None, -3))
attempt("bpf", lambda: syscall(N["bpf"], 0, ctypes.create_string_buffer(128), 128))
attempt("perf_event_open", lambda: syscall(N["perf_event_open"], ctypes.create_string_buffer(128), 0, -1, -1, 0))
attempt("userfaultfd", lambda: syscall(N["userfaultfd"], 1))
attempt("open_by_handle_at", lambda: syscall(N["open_by_handle_at"], -100, ctypes.create_string_buffer(32), 0))
attempt("name_to_handle_at", lambda: syscall(N["name_to_handle_at"], -100, b"/", ctypes.create_string_buffer(160), buffer, 0))
for name in ["init_module", "finit_module", "delete_module", "kexec_load", "swapon", "acct", "settimeofday",
             "clock_settime", "quotactl", "vhangup", "lookup_dcookie", "move_pages", "syslog"]:
    attempt(name, lambda: syscall(N[name], 0, 0, 0, 0))
attempt("reboot", lambda: syscall(N["reboot"], 0xFEE1DEAD, 672274793, 0))
attempt("sethostname", lambda: syscall(N["sethostname"], b"x", 1))
attempt("personality", lambda: syscall(N["personality"], 0x0400000))
if not ARM:
    attempt("iopl", lambda: syscall(N["iopl"], 3))
    attempt("ioperm", lambda: syscall(N["ioperm"], 0x70, 2, 1))
    attempt("x32 getpid", lambda: syscall(0x40000000 | 39))
attempt("block device", lambda: os.mknod("/tmp/disk", 0o60666, os.makedev(254, 0)))
attempt("character device", lambda: os.mknod("/tmp/mem", 0o20666, os.makedev(1, 1)))
attempt("type into the terminal", lambda: __import__("fcntl").ioctl(0, 0x5412, b"x"))
