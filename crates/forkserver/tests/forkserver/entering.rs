//! What a kernel is, once it is in its cell.

use std::fs;

use forkserver::WarmSet;

use crate::kit::{Bench, children, fork, is_root, status, until};

#[test]
fn a_kernel_is_inits_child_and_in_its_namespaces() {
    let Some(bench) = Bench::stub() else { return };
    let forkserver = bench.forkserver(WarmSet::Bare);
    let cell = bench.cell();
    let mut kernel = fork(&forkserver, &cell).unwrap();

    // Until the process that forked it inside the cell has ended, it is that one's child.
    until(|| kernel.ask("os.getppid()") == "1");
    assert_eq!(kernel.ask("os.getpid()"), kernel.pid.to_string());
    let on_host = children(cell.pid());
    let [pid] = on_host[..] else { panic!("init has the children {on_host:?}") };
    assert_eq!(status(pid, "NSpid").split_whitespace().last(), Some(&*kernel.pid.to_string()));
    for name in ["user", "mnt", "pid", "pid_for_children", "net", "ipc", "uts", "cgroup"] {
        let link = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/{name}")).unwrap();
        assert_eq!(link(pid), link(cell.pid()), "{name}");
        assert_ne!(link(pid), link(std::process::id()), "{name}");
    }
    let root = |pid: u32| fs::read_link(format!("/proc/{pid}/root")).unwrap();
    assert_eq!(root(pid), root(cell.pid()));
    let cgroup = |pid: u32| fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    assert_eq!(cgroup(pid), cgroup(cell.pid()));
    if is_root() {
        assert_ne!(cgroup(pid), cgroup(std::process::id()));
        assert_ne!(cgroup(pid), cgroup(forkserver.process().pid));
    }
    until(|| children(forkserver.process().pid).is_empty());
}

#[test]
fn a_kernel_has_no_power() {
    let Some(bench) = Bench::stub() else { return };
    let forkserver = bench.forkserver(WarmSet::Bare);
    let cell = bench.cell();
    let mut kernel = fork(&forkserver, &cell).unwrap();

    let confinement = cell.confinement();
    let [uid, gid] = [confinement.uid, confinement.gid];
    assert_eq!(kernel.ask("os.getresuid()"), format!("({uid}, {uid}, {uid})"));
    assert_eq!(kernel.ask("os.getresgid()"), format!("({gid}, {gid}, {gid})"));
    if confinement.drop_groups {
        assert_eq!(kernel.ask("os.getgroups()"), "[]");
    }
    let pid = children(cell.pid())[0];
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status(pid, set), "0".repeat(16), "{set}");
    }
    assert_eq!(status(pid, "NoNewPrivs"), "1");
    assert_eq!(status(pid, "Seccomp"), "2");
    assert_eq!(status(pid, "Seccomp_filters"), confinement.filters.len().to_string());
    for limit in &confinement.rlimits {
        let number = limit.resource as u8;
        let [soft, hard] = [0, 1].map(|at| {
            let value = kernel.ask(&format!("__import__('resource').getrlimit({number})[{at}]"));
            value.parse::<i64>().unwrap().cast_unsigned()
        });
        assert!(soft <= limit.soft && hard <= limit.hard, "{limit:?}: {soft} {hard}");
    }
}

#[test]
fn a_kernel_holds_nothing_but_its_own() {
    let Some(bench) = Bench::stub() else { return };
    let forkserver = bench.forkserver(WarmSet::Bare);
    let cell = bench.cell();
    let mut kernel = fork(&forkserver, &cell).unwrap();

    // The highest is the directory that is being read.
    assert_eq!(kernel.ask("sorted(map(int, os.listdir('/proc/self/fd')))"), "[0, 1, 2, 3, 4]");
    assert_eq!(kernel.ask("[os.get_inheritable(fd) for fd in range(4)]"), "[True, True, True, False]");
    assert_eq!(kernel.ask("os.readlink('/proc/self/fd/0')"), "'/dev/null'");
    assert_eq!(kernel.ask("os.fstat(0).st_dev == os.stat('/dev/null').st_dev"), "True");
    kernel.run("os.write(1, b'out')\nos.write(2, b'err')");
    for pipe in [&mut kernel.stdout, &mut kernel.stderr] {
        let mut bytes = [0; 3];
        std::io::Read::read_exact(pipe, &mut bytes).unwrap();
        assert!([b"out", b"err"].contains(&&bytes));
    }

    assert_eq!(kernel.ask("os.getcwd()"), "'/mnt/workspace'");
    assert_eq!(kernel.ask("os.umask(0o022)"), "18");
    assert_eq!(kernel.ask("os.getsid(0) == os.getpgid(0) == os.getpid()"), "True");
    let mut variables = cell.variables();
    variables.sort();
    let asked = kernel.ask("'|'.join(sorted(f'{name}={value}' for name, value in os.environ.items()))");
    assert_eq!(asked, format!("{:?}", variables.join("|")).replace('"', "'"));

    assert_eq!(kernel.ask("signal.pthread_sigmask(signal.SIG_BLOCK, [])"), "set()");
    let ignored = "sorted(int(s) for s in signal.valid_signals() if signal.getsignal(s) == signal.SIG_IGN)";
    // SIGPIPE and SIGXFSZ, which the interpreter ignores itself.
    assert_eq!(kernel.ask(ignored), "[13, 25]");
    assert_eq!(kernel.ask("int(open('/proc/self/oom_score_adj').read())"), "500");
}

#[test]
fn a_kernel_is_dumpable_and_its_forkserver_never_was() {
    let Some(bench) = Bench::stub() else { return };
    let forkserver = bench.forkserver(WarmSet::Bare);
    let cell = bench.cell();
    let mut kernel = fork(&forkserver, &cell).unwrap();
    assert_eq!(kernel.ask("__import__('ctypes').CDLL(None).prctl(3, 0, 0, 0, 0)"), "1");
    assert_eq!(kernel.ask("warming['dumpable']"), "0");
    assert_eq!(kernel.ask("os.stat('/proc/self/mem').st_uid"), cell.confinement().uid.to_string());
}

/// What a process that went through usher and parent could have lost, and the C library would not notice.
#[test]
fn a_kernels_own_thread_is_whole() {
    let Some(bench) = Bench::stub() else { return };
    let forkserver = bench.forkserver(WarmSet::Bare);
    let cell = bench.cell();
    let mut kernel = fork(&forkserver, &cell).unwrap();

    assert_eq!(
        kernel.ask("threading.get_native_id() == os.getpid() == threading.main_thread().native_id"),
        "True"
    );
    // glibc sends the signal to the thread id that it remembers.
    let raised = "
result = []
signal.signal(signal.SIGUSR1, lambda *_: result.append('caught'))
signal.raise_signal(signal.SIGUSR1)
thread = threading.Thread(target=lambda: result.append('thread'))
thread.start(); thread.join()";
    assert_eq!(kernel.run(raised), "['caught', 'thread']");
    let aborted = "
child = os.fork()
if child == 0: os.abort()
result = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])";
    assert_eq!(kernel.run(aborted), "-6");
    // glibc reads the processor from the area for restartable sequences, if it is told that there is one.
    let processors = "
import ctypes
result, all_ = True, os.sched_getaffinity(0)
for processor in sorted(all_) * 3:
    os.sched_setaffinity(0, {processor})
    result = result and ctypes.CDLL(None).sched_getcpu() == processor
os.sched_setaffinity(0, all_)
result = (result, len(all_))";
    let processors = kernel.run(processors);
    assert!(processors.starts_with("(True, "), "{processors}");
    if processors == "(True, 1)" {
        eprintln!("SKIPPED in part: with one processor a wrong number cannot be seen");
    }
}
