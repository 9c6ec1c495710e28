//! What a cell sees of the machine: as much as it may use, and nothing that tells of the host.

use policy::Limits;
use session::Session;

use crate::kit::{BARE, Bench, COLD, print, shell, with};

/// A session with one processor of however many there are.
async fn narrow(bench: &Bench) -> Session {
    bench.session_with(Limits { cpus: 1, memory: 1 << 30, ..Limits::default() }).await
}

const PYTHON: &str = r"
import glob, os, psutil, re, sys, warnings
here = '/sys/devices/system/cpu/'
said = {
    'os': os.cpu_count(), 'sysconf': os.sysconf('SC_NPROCESSORS_CONF'), 'multiprocessing': __import__('multiprocessing').cpu_count(),
    'psutil': psutil.cpu_count(), 'cores': psutil.cpu_count(logical=False),
    'cpuinfo': open('/proc/cpuinfo').read().count('processor'), 'stat': len(re.findall('cpu[0-9]', open('/proc/stat').read())),
    'directories': len(glob.glob(here + 'cpu[0-9]*')), 'siblings': int(open(here + 'cpu0/topology/core_siblings').read(), 16),
}
wrong = {name: value for name, value in said.items() if value != 1}
assert not wrong, wrong
assert open(here + 'online').read() == open(here + 'possible').read() == open(here + 'present').read() == '0\n'
with warnings.catch_warnings(action='error') if sys.version_info >= (3, 11) else warnings.catch_warnings():
    assert psutil.virtual_memory().total == 1 << 30, psutil.virtual_memory()
assert open('/proc/loadavg').read().split()[:3] == ['0.00'] * 3
assert psutil.boot_time() > 0 and psutil.Process().create_time() > 0
print(open('/proc/sys/kernel/random/boot_id').read().strip(), open('/proc/sys/kernel/random/boot_id').read().strip())";

#[tokio::test(flavor = "multi_thread")]
async fn libraries_read_the_cells_processors_and_memory() {
    for kernels in [BARE, COLD] {
        with(kernels, async |bench: &Bench| {
            let (one, other) = (narrow(bench).await, narrow(bench).await);
            let (one_id, other_id) = (print(&one, PYTHON).await, print(&other, PYTHON).await);
            let (first, second) = one_id.trim().split_once(' ').unwrap();
            assert_eq!(first, second, "a machine is started once");
            assert_ne!(one_id, other_id);
            let host = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
            assert_ne!(first, host.trim());
            one.stop().await.unwrap();
            other.stop().await.unwrap();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_read_the_cells_processors_and_memory() {
    // Each prints one number; those that are not on this machine say nothing.
    const PROGRAMS: &[(&str, &str, &str)] = &[
        ("nproc", "nproc", "1"),
        ("getconf", "getconf _NPROCESSORS_ONLN", "1"),
        ("lscpu", "lscpu -p=CPU | grep -c '^[0-9]'", "1"),
        ("lscpu", "lscpu -p=CORE | grep -c '^[0-9]'", "1"),
        ("free", "free -m | awk '/^Mem/ { print $2 }'", "1024"),
        ("uptime", "uptime | grep -c 'load average: 0.00, 0.00, 0.00'", "1"),
        ("node", "node -p 'os.cpus().length'", "1"),
        ("node", "node -p 'os.totalmem() >> 20'", "1024"),
        ("node", "node -p 'process.constrainedMemory() / 2 ** 20'", "1024"),
        ("deno", "deno eval 'console.log(navigator.hardwareConcurrency)'", "1"),
    ];
    with(BARE, async |bench: &Bench| {
        let session = narrow(bench).await;
        for (program, line, expected) in PROGRAMS {
            let ran = shell(&session, &format!("command -v {program} >/dev/null || exit 77; {line}")).await;
            let said = ran.stdout();
            if said.is_empty() && ran.stderr().is_empty() {
                eprintln!("SKIPPED in part: there is no `{program}` here");
                continue;
            }
            assert_eq!(said.trim(), *expected, "{line}: {}", ran.stderr());
        }
        session.stop().await.unwrap();
    })
    .await;
}

/// Tries everything that Docker masks or makes read-only, and what we mask beside it.
const MASKED: &str = r"
import os
masked = '''acpi asound interrupts kcore keys latency_stats timer_list timer_stats sched_debug scsi
    bootconfig buddyinfo cgroups cmdline diskstats kallsyms key-users kmsg mdstat modules partitions pressure schedstat
    slabinfo softirqs swaps vmstat zoneinfo'''.split()
there = [name for name in masked if os.path.exists('/proc/' + name)]
assert 'interrupts' in there and 'cmdline' in there, there
for name in there:
    path = '/proc/' + name
    content = os.listdir(path) if os.path.isdir(path) else open(path).read()
    assert not content, (path, content)
    assert not os.access(path, os.W_OK), path
mounts = {line.split()[4]: line.split()[5].split(',') for line in open('/proc/self/mountinfo')}
for name in ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger']:
    path = '/proc/' + name
    assert not os.path.exists(path) or 'ro' in mounts[path], (path, mounts.get(path))
writable = [path for path, options in mounts.items() if 'ro' not in options]
devices = ['/dev/' + name for name in ('null', 'zero', 'full', 'random', 'urandom', 'tty')]
assert sorted(writable) == sorted(devices + ['/dev/pts', '/dev/shm', '/home/user', '/mnt/workspace', '/proc', '/tmp']), writable
for path in ['/sys/firmware', '/sys/devices/virtual/powercap', '/sys/devices/system/cpu/cpu0/thermal_throttle', '/sys/kernel',
             '/sys/class', '/sys/block', '/sys/bus', '/sys/module', '/sys/fs/cgroup/cgroup.procs']:
    assert not os.path.lexists(path), path
assert sorted(os.listdir('/sys')) == ['cell', 'devices', 'fs'], os.listdir('/sys')
print('as it should be')";

#[tokio::test(flavor = "multi_thread")]
async fn what_tells_of_the_host_is_masked() {
    for kernels in [BARE, COLD] {
        with(kernels, async |bench: &Bench| {
            let session = bench.session().await;
            assert_eq!(print(&session, MASKED).await.trim(), "as it should be");
            session.stop().await.unwrap();
        })
        .await;
    }
}

/// Which devices there are, that they work, and that no other can be made or opened.
const DEVICES: &str = r"
import errno, os, pty, stat, subprocess
def kind(path): return stat.S_IFMT(os.lstat(path).st_mode)
there = sorted(os.listdir('/dev'))
assert there == sorted('fd full null ptmx pts random shm stderr stdin stdout tty urandom zero'.split()), there
devices = {name: (os.major(d), os.minor(d)) for name in there if stat.S_ISCHR(kind('/dev/' + name)) for d in [os.stat('/dev/' + name).st_rdev]}
assert devices == {'null': (1, 3), 'zero': (1, 5), 'full': (1, 7), 'random': (1, 8), 'urandom': (1, 9), 'tty': (5, 0)}, devices
assert not [n for n in there if stat.S_ISBLK(kind('/dev/' + n))]

with open('/dev/null', 'r+b', 0) as null: assert null.write(b'x') == 1 and null.read(1) == b''
with open('/dev/null', 'w') as null: null.write('cut and written')
assert open('/dev/zero', 'rb').read(3) == b'\0\0\0'
assert len(open('/dev/random', 'rb').read(8)) == len(open('/dev/urandom', 'rb').read(8)) == 8
try: open('/dev/full', 'wb', 0).write(b'x')
except OSError as error: assert error.errno == errno.ENOSPC, error
else: raise AssertionError('/dev/full is not full')
# A terminal of one's own, with a program on it that opens it by the name /dev/tty.
pid, terminal = pty.fork()
if pid == 0:
    os.execvp('sh', ['sh', '-c', 'stty size < /dev/tty; tty; echo seen > /dev/tty'])
said = b''
try:
    while piece := os.read(terminal, 100): said += piece
except OSError: pass
os.waitpid(pid, 0)
assert said.split() == [b'0', b'0', b'/dev/pts/0', b'seen'], said

for place in ['/mnt/workspace', '/tmp', '/dev/shm', '/home/user', '/dev', '/dev/pts']:
    for mode in [stat.S_IFCHR, stat.S_IFBLK]:
        for device in [os.makedev(1, 3), os.makedev(1, 1), os.makedev(8, 0), os.makedev(10, 229)]:
            try: os.mknod(place + '/planted', 0o666 | mode, device)
            except OSError as error: assert error.errno in (errno.EPERM, errno.EACCES, errno.EROFS), (place, error)
            else: raise AssertionError(place)
    if place not in ('/dev', '/dev/pts'):
        os.mkfifo(place + '/fifo'); os.remove(place + '/fifo')
print('as it should be')";

#[tokio::test(flavor = "multi_thread")]
async fn there_are_seven_devices_and_no_more_can_be_made() {
    for kernels in [BARE, COLD] {
        with(kernels, async |bench: &Bench| {
            let session = bench.session().await;
            assert_eq!(print(&session, DEVICES).await.trim(), "as it should be");
            session.stop().await.unwrap();
        })
        .await;
    }
}

/// How many more sets of rules a process may lay upon itself. The kernel's limit is 16 together with those that it has.
const LAYERS: &str = r"
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def layers():
    libc.prctl(38, 1, 0, 0, 0)
    rules = (ctypes.c_uint64 * 1)(1 << 6)
    count = 0
    while True:
        ruleset = libc.syscall(444, rules, 8, 0)
        if ruleset < 0 or libc.syscall(446, ruleset, 0) != 0: return count
        os.close(ruleset); count += 1
reading, writing = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(writing, str(layers()).encode()); os._exit(0)
os.waitpid(pid, 0)
print(os.read(reading, 9).decode())";

#[tokio::test(flavor = "multi_thread")]
async fn landlock_holds_for_everything_that_runs_in_a_cell() {
    if sys::landlock::abi().is_none() {
        eprintln!("SKIPPED: this kernel has no Landlock that is of use");
        return;
    }
    for kernels in [BARE, COLD] {
        with(kernels, async |bench: &Bench| {
            let session = bench.session().await;
            assert_eq!(print(&session, LAYERS).await.trim(), "15", "a kernel");
            print(&session, &format!("open('layers.py', 'w').write({LAYERS:?})")).await;
            assert_eq!(shell(&session, "python layers.py").await.stdout().trim(), "15", "a command");
            // Files go from one directory to another as they do elsewhere.
            let line =
                "mkdir -p a/b && echo x > a/b/f && mv a/b/f a/g && ln a/g a/b/h && mv a/b . && cat b/h";
            assert_eq!(shell(&session, line).await.stdout().trim(), "x");
            session.stop().await.unwrap();
        })
        .await;
    }
}
