//! A cell that already runs hostile code when a kernel enters it.

use std::time::{Duration, Instant};

use forkserver::{Error, WarmSet};
use policy::Confinement;

use crate::kit::{Bench, fork, fork_with};

/// A filter that lets everything through, and no Landlock, which keeps kernels from looking into each other: these tests
/// are about the walls behind them.
fn unfiltered(confinement: &Confinement) -> Confinement {
    const ALLOW: [u8; 8] = [6, 0, 0, 0, 0, 0, 0xff, 0x7f]; // BPF_RET | BPF_K, SECCOMP_RET_ALLOW
    Confinement { filters: vec![ALLOW.to_vec()], landlock: None, ..confinement.clone() }
}

#[test]
fn nothing_can_be_taken_from_a_kernel_on_its_way_in() {
    let Some(bench) = Bench::stub() else { return };
    let forkserver = bench.forkserver(WarmSet::Bare);
    let cell = bench.cell();
    let unfiltered = unfiltered(cell.confinement());
    let mut thief = fork_with(&forkserver, &cell, &unfiltered).unwrap();
    thief.run(include_str!("thief.py"));
    for way in ["pounce", "scan"] {
        thief.tell(&format!("{way}(4)"));
        let end = Instant::now() + Duration::from_secs(4);
        let mut kernels = Vec::new();
        while Instant::now() < end && kernels.len() < 100 {
            kernels.push(fork_with(&forkserver, &cell, &unfiltered).unwrap());
        }
        // Of processes that are confined, and dumpable, it may take what it likes.
        let met: usize = thief.answer().parse().unwrap();
        assert!(met > 5, "{way} met {met} processes");
        assert_eq!(thief.ask("stolen[:5]"), "[]", "{way}");
    }
}

#[test]
fn a_cell_that_stops_what_enters_it_holds_up_nobody_for_long() {
    let Some(bench) = Bench::stub() else { return };
    let forkserver = bench.forkserver(WarmSet::Bare);
    let (hostile, other) = (bench.cell(), bench.cell());
    let mut stopper = fork(&forkserver, &hostile).unwrap();
    stopper.tell(
        &"!
while True:
    try: os.kill(-1, signal.SIGSTOP)
    except ProcessLookupError: pass
    except PermissionError: pass"
            .replace('\n', "\u{1f}"),
    );
    std::thread::scope(|scope| {
        let entering: Vec<_> =
            (0..3).map(|_| scope.spawn(|| fork(&forkserver, &hostile).map(drop))).collect();
        for _ in 0..3 {
            let start = Instant::now();
            assert_eq!(fork(&forkserver, &other).unwrap().ask("6 * 7"), "42");
            // Two seconds for each of those that may be before it.
            assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
        }
        sys::namespace::kill(hostile.init()).unwrap();
        for entering in entering {
            // In or not: it is not the forkserver's fault, who would be killed for that.
            let result = entering.join();
            assert!(!matches!(result, Ok(Err(Error::Stuck | Error::Gone))), "{result:?}");
        }
    });
    assert_eq!(fork(&forkserver, &other).unwrap().ask("6 * 7"), "42");
}
