//! What five hundred forks leave of the forkserver itself.

use std::fs;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Command;

use forkserver::WarmSet;
use policy::{ENVIRONMENT, RUNTIME};
use protocol::forkserver::{Hello, Report, Request, Step};

use crate::kit::{Bench, children, ends, fork, is_root, status, until};

const FORKS: usize = 500;

/// Kernels end at once. When the daemon has hung up, the forkserver looks at itself and tells.
const PACKAGE: &str = "
import os, signal, sys, threading

def warm(level):
    before = os.listdir('/proc/self/fd')
    def look(*_):
        result = [threading.get_native_id() == os.getpid(), len(os.listdir('/proc/self/task'))]
        result.append(len(os.listdir('/proc/self/fd')) - len(before))
        result.append(signal.pthread_sigmask(signal.SIG_BLOCK, []) == set())
        signal.signal(signal.SIGUSR1, lambda *_: result.append('caught'))
        signal.raise_signal(signal.SIGUSR1)
        child = os.fork()
        if child == 0:
            os.abort()
        result.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        lock, got = threading.Lock(), []
        def take():
            with lock:
                got.append('thread')
        with lock:
            threads = [threading.Thread(target=take) for _ in range(4)]
            for thread in threads:
                thread.start()
        for thread in threads:
            thread.join()
        result.append(len(got))
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            result.append('childless')
        os.write(3, repr(result).encode())
    sys.modules['__main__'].check = lambda result, what: look() if what == 'serve the daemon' else None

def serve(fd): pass
";

fn receive(control: &OwnedFd) -> Vec<u8> {
    let mut buffer = vec![0; 64 << 10];
    let (len, _, _) = sys::scm::recv_with_fds(control, &mut buffer).unwrap();
    buffer.truncate(len);
    buffer
}

#[test]
fn five_hundred_forks_leave_no_trace() {
    let Some(bench) = Bench::with(PACKAGE) else { return };
    let (control, theirs) = sys::outer::packet_pair().unwrap();
    let python = format!("{ENVIRONMENT}/bin/python");
    let script = format!("{RUNTIME}/cellblock_kernel/forkserver.py");
    let process = bench.node.exec(&[&python, "-I", &script, "bare"], &[], theirs).unwrap();
    assert!(matches!(Hello::decode(&receive(&control)), Ok(Hello::Ready { .. })));

    let cell = bench.cell();
    let cgroups = cell.cgroups().unwrap();
    let good = Request { confinement: cell.confinement().encode(), variables: vec!["A=1".to_owned()] };
    let good = good.encode();
    let ask = |bytes: &[u8]| {
        let (_ours, theirs) = ends();
        let (mut pipe, report) = std::io::pipe().unwrap();
        let mut fds: Vec<BorrowedFd> = vec![cell.init(), theirs.stdout.as_fd(), theirs.stderr.as_fd()];
        fds.extend([theirs.socket.as_fd(), report.as_fd()]);
        fds.extend(cgroups.iter().map(AsFd::as_fd));
        sys::scm::send_with_fds(&control, bytes, &fds).unwrap();
        drop(fds);
        drop((theirs, report));
        loop {
            let mut bytes = [0; Report::LEN];
            std::io::Read::read_exact(&mut pipe, &mut bytes).unwrap();
            match Report::decode(bytes).unwrap() {
                Report::Handed => {}
                report => return report,
            }
        }
    };
    let memory = |pid| status(pid, "RssAnon").trim_end_matches(" kB").parse::<i64>().unwrap();
    let mut before = 0;
    for round in 0..FORKS {
        assert!(matches!(ask(&good), Report::Entered(_)), "{round}");
        match round {
            // What the first forks touch for the first time is not lost by every fork.
            50 => before = memory(process.pid),
            // Rubbish among the requests is refused, and disturbs nobody.
            60 => {
                assert!(matches!(ask(b"rubbish"), Report::Failed { step: Step::Request, .. }));
                assert!(matches!(ask(&good[..20]), Report::Failed { step: Step::Request, .. }));
                sys::scm::send_with_fds(&control, &good, &[]).unwrap();
                sys::scm::send_with_fds(&control, &good, &[control.as_fd()]).unwrap();
            }
            _ => {}
        }
    }
    let grown = memory(process.pid) - before;
    assert!(grown < 256, "{grown} KiB more after {FORKS} forks");
    assert_eq!(fs::read_dir(format!("/proc/{}/task", process.pid)).unwrap().count(), 1);

    // What it says in the end can still be read.
    let control = UnixStream::from(control);
    control.shutdown(Shutdown::Write).unwrap();
    let said = String::from_utf8(receive(&control.into())).unwrap();
    assert_eq!(said, "[True, 1, 0, True, 'caught', -6, 4, 'childless']");
}

/// Libraries that compare process ids to learn that they were forked would not learn it.
#[test]
fn no_kernel_has_the_forkservers_own_id() {
    let Some(bench) = Bench::stub() else { return };
    if !is_root() {
        eprintln!("SKIPPED: only root can choose the next process id of a cell");
        return;
    }
    let forkserver = bench.forkserver(WarmSet::Bare);
    let cell = bench.cell();
    let mut kernel = fork(&forkserver, &cell).unwrap();
    let own: u32 = kernel.ask("warming['pid']").parse().unwrap();
    let choose = |last: u32| {
        let script = format!("echo {last} > /proc/sys/kernel/ns_last_pid");
        let init = cell.pid().to_string();
        let done = Command::new("nsenter").args(["-t", &init, "-p", "--", "sh", "-c", &script]).status();
        assert!(done.unwrap().success());
    };
    // The process that forks inside the cell takes the next one, and the kernel the one after that.
    choose(own + 8);
    assert_eq!(fork(&forkserver, &cell).unwrap().pid, own + 10);
    choose(own - 2);
    assert_eq!(fork(&forkserver, &cell).unwrap().pid, own + 1);
    until(|| children(cell.pid()).len() == 1);
}
