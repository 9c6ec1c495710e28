//! What ends, and what lives on.

use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use forkserver::{Error, Forkserver, Step, Target, WarmSet};
use policy::{Confinement, Grant, Rights};
use sys::process::{Signal, signal};

use crate::kit::{Bench, Ends, PATIENCE, children, ends, fork, fork_with, until};

/// Everything that came with a request has been closed, here and in the forkserver.
fn assert_closed(mut ends: Ends) {
    // What a kernel said before it ended is not asked for; a reset says that it was not read, and ends it as well.
    let pipes: [&mut dyn Read; 3] = [&mut ends.socket, &mut ends.stdout, &mut ends.stderr];
    for pipe in pipes {
        match pipe.read_to_end(&mut Vec::new()) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("still open: {error}"),
            _ => {}
        }
    }
}

#[test]
fn a_kernel_outlives_its_forkserver() {
    let Some(bench) = Bench::stub() else { return };
    let forkserver = bench.forkserver(WarmSet::Bare);
    let cell = bench.cell();
    let mut kernel = fork(&forkserver, &cell).unwrap();
    kernel.run("kept = 41");
    forkserver.kill().unwrap();
    assert!(sys::namespace::wait_ended(forkserver.process().pidfd.as_fd(), PATIENCE));
    assert!(!forkserver.is_alive());
    assert_eq!(kernel.ask("kept + 1"), "42");

    let (ours, theirs) = ends();
    let target = Target { init: cell.init(), cgroups: &[] };
    assert!(matches!(forkserver.fork(target, theirs, cell.confinement(), &[]), Err(Error::Gone)));
    assert_closed(ours);
    // Another one takes its place, for a cell that the first one served.
    let second = bench.forkserver(WarmSet::Bare);
    assert_eq!(fork(&second, &cell).unwrap().ask("6 * 7"), "42");
}

#[test]
fn a_request_ends_with_its_forkserver() {
    let Some(bench) = Bench::stub() else { return };
    let cell = bench.cell();
    for _ in 0..5 {
        let forkserver = bench.forkserver(WarmSet::Bare);
        let process = forkserver.process().pidfd.try_clone().unwrap();
        signal(&process, Signal::Stop).unwrap();
        let (ours, theirs) = ends();
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let cgroups: Vec<OwnedFd> = cell.cgroups().unwrap();
                let target = Target { init: cell.init(), cgroups: &cgroups };
                forkserver.fork(target, theirs, cell.confinement(), &[])
            });
            std::thread::yield_now();
            signal(&process, Signal::Kill).unwrap();
            let result = asked.join().unwrap();
            assert!(matches!(result, Err(Error::Gone)), "{result:?}");
        });
        assert_closed(ours);
    }
    until(|| children(cell.pid()).is_empty());
}

#[test]
fn killed_at_any_moment_it_takes_no_kernel_with_it() {
    let Some(bench) = Bench::stub() else { return };
    let cells = [bench.cell(), bench.cell()];
    let (mut entered, mut gone) = (0, 0);
    for round in 0..12 {
        let forkserver = bench.forkserver(WarmSet::Bare);
        let results: Vec<_> = std::thread::scope(|scope| {
            let asking = cells.each_ref().map(|cell| {
                let forkserver = &forkserver;
                scope.spawn(move || {
                    let mut kernels = Vec::new();
                    loop {
                        match fork(forkserver, cell) {
                            Ok(kernel) => kernels.push(kernel),
                            Err(error) => return (kernels, error),
                        }
                    }
                })
            });
            while forkserver.forked() < round {
                std::thread::yield_now();
            }
            forkserver.kill().unwrap();
            asking.map(|asking| asking.join().unwrap()).into_iter().collect()
        });
        for (kernels, error) in results {
            assert!(matches!(error, Error::Gone), "{error:?}");
            gone += 1;
            for mut kernel in kernels {
                assert_eq!(kernel.ask("6 * 7"), "42");
                entered += 1;
            }
        }
    }
    assert!(entered > 50 && gone == 24, "{entered} {gone}");
}

#[test]
fn a_dead_cell_is_told_and_costs_nothing() {
    let Some(bench) = Bench::stub() else { return };
    let forkserver = bench.forkserver(WarmSet::Bare);
    let cell = bench.cell();
    let init = cell.init().try_clone_to_owned().unwrap();
    let confinement = cell.confinement().clone();
    cell.destroy().unwrap();
    let (ours, theirs) = ends();
    let result = forkserver.fork(Target { init: init.as_fd(), cgroups: &[] }, theirs, &confinement, &[]);
    assert!(matches!(result, Err(Error::CellGone)), "{result:?}");
    assert_closed(ours);
    assert_eq!(fork(&forkserver, &bench.cell()).unwrap().ask("6 * 7"), "42");
}

#[test]
fn a_cell_may_end_at_any_moment() {
    let Some(bench) = Bench::stub() else { return };
    let forkserver = bench.forkserver(WarmSet::Bare);
    let other = bench.cell();
    let mut ended = 0;
    for round in 0..40_u32 {
        let cell = bench.cell();
        let init = cell.init().try_clone_to_owned().unwrap();
        let cgroups: Vec<OwnedFd> = cell.cgroups().unwrap();
        let confinement = cell.confinement().clone();
        let (ours, theirs) = ends();
        let result = std::thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let target = Target { init: init.as_fd(), cgroups: &cgroups };
                forkserver.fork(target, theirs, &confinement, &[])
            });
            // Not luck: any length will do, and they differ so that the end finds different steps.
            std::thread::sleep(Duration::from_micros(u64::from(round) * 50));
            sys::namespace::kill(init.as_fd()).unwrap();
            asked.join().unwrap()
        });
        assert!(matches!(result, Ok(_) | Err(Error::CellGone)), "{result:?}");
        ended += u32::from(result.is_err());
        drop(cell);
        assert_closed(ours);
        assert_eq!(fork(&forkserver, &other).unwrap().ask("6 * 7"), "42");
    }
    assert!(ended > 0, "no request met the end of its cell");
}

#[test]
fn a_process_outside_the_outer_namespace_is_no_target() {
    let Some(bench) = Bench::stub() else { return };
    let forkserver = bench.forkserver(WarmSet::Bare);
    let cell = bench.cell();
    let own = sys::process::pidfd(std::process::id()).unwrap();
    let (ours, theirs) = ends();
    let result = forkserver.fork(Target { init: own.as_fd(), cgroups: &[] }, theirs, cell.confinement(), &[]);
    assert!(matches!(result, Err(Error::Step { step: Step::PidNamespace, .. })), "{result:?}");
    assert_closed(ours);

    // One that is in it, and in no cell: a second forkserver.
    let second = bench.forkserver(WarmSet::Bare);
    let (ours, theirs) = ends();
    let target = Target { init: second.process().pidfd.as_fd(), cgroups: &[] };
    let result = forkserver.fork(target, theirs, cell.confinement(), &[]);
    assert!(matches!(result, Err(Error::Step { step: Step::PidNamespace, .. })), "{result:?}");
    assert_closed(ours);
    assert_eq!(fork(&forkserver, &cell).unwrap().ask("6 * 7"), "42");
}

#[test]
fn a_wall_that_cannot_be_built_ends_the_kernel() {
    let Some(bench) = Bench::stub() else { return };
    let forkserver = bench.forkserver(WarmSet::Bare);
    let cell = bench.cell();
    let good = cell.confinement();
    let bad = [
        (Confinement { filters: vec![vec![255; 8]], ..good.clone() }, Step::Filter),
        (Confinement { processors: vec![1023], ..good.clone() }, Step::Processors),
        // An id that the cell's map does not have.
        (Confinement { uid: 77, ..good.clone() }, Step::Ids),
        (Confinement { filters: Vec::new(), ..good.clone() }, Step::Request),
    ];
    // A file's rule that speaks of what only directories have.
    let wrong = good.landlock.clone().unwrap().into_iter().find(|grant| grant.path.as_str() == "/dev/null");
    let wrong = wrong.map(|grant| Grant { rights: Rights::CHANGE, ..grant });
    let bad =
        bad.into_iter().chain(sys::landlock::abi().map(|_| {
            (Confinement { landlock: wrong.map(|wrong| vec![wrong]), ..good.clone() }, Step::Landlock)
        }));
    for (confinement, expected) in bad {
        match fork_with(&forkserver, &cell, &confinement) {
            Err(Error::Step { step, .. }) => assert_eq!(step, expected),
            Err(error) => panic!("{error:?}"),
            Ok(_) => panic!("there is a kernel without {expected:?}"),
        }
    }
    let cgroup = std::fs::File::open("/dev/null").unwrap().into();
    let (ours, theirs) = ends();
    let result = forkserver.fork(Target { init: cell.init(), cgroups: &[cgroup] }, theirs, good, &[]);
    assert!(matches!(result, Err(Error::Step { step: Step::Cgroup, .. })), "{result:?}");
    assert_closed(ours);
    assert_eq!(fork(&forkserver, &cell).unwrap().ask("6 * 7"), "42");
}

#[test]
fn one_that_cannot_warm_up_says_why() {
    let failing = [
        ("def warm(level): raise ImportError('no such library')", "no such library"),
        (
            "import threading\ndef warm(level): threading.Thread(target=threading.Event().wait, daemon=True).start()",
            "left threads behind",
        ),
        ("import cellblock_missing", "cellblock_missing"),
    ];
    for (package, why) in failing {
        let Some(bench) = Bench::with(package) else { return };
        let forkserver = Forkserver::start(&bench.node, WarmSet::Bare).unwrap();
        match forkserver.wait_ready(PATIENCE) {
            Err(Error::Warm(said)) => assert!(said.contains(why), "{said}"),
            other => panic!("{other:?}"),
        }
        assert!(sys::namespace::wait_ended(forkserver.process().pidfd.as_fd(), PATIENCE));
    }
    let Some(bench) = Bench::with("import time\ndef warm(level): time.sleep(1000)") else { return };
    let forkserver = Forkserver::start(&bench.node, WarmSet::Bare).unwrap();
    assert!(matches!(forkserver.wait_ready(Duration::from_millis(300)), Err(Error::NotReady)));
    assert!(!forkserver.is_ready() && forkserver.is_alive());
    forkserver.kill().unwrap();
    assert!(matches!(forkserver.wait_ready(PATIENCE), Err(Error::Gone)));
    let Some(bench) = Bench::with("import os; os._exit(3)") else { return };
    let forkserver = Forkserver::start(&bench.node, WarmSet::Bare).unwrap();
    assert!(matches!(forkserver.wait_ready(PATIENCE), Err(Error::Gone)));
}

#[test]
fn several_can_wait_for_one() {
    let Some(bench) = Bench::stub() else { return };
    let forkserver = Forkserver::start(&bench.node, WarmSet::Bare).unwrap();
    let said = std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..4).map(|_| scope.spawn(|| forkserver.wait_ready(PATIENCE))).collect();
        waiting.into_iter().map(|waiting| waiting.join().unwrap().unwrap()).collect::<Vec<_>>()
    });
    assert!(said.iter().all(|warm| *warm == said[0]));
    assert!(forkserver.is_ready());
}

#[test]
fn it_ends_with_its_daemon() {
    let Some(bench) = Bench::stub() else { return };
    let forkserver = bench.forkserver(WarmSet::Bare);
    let process = forkserver.process().pidfd.try_clone().unwrap();
    drop(forkserver);
    assert!(sys::namespace::wait_ended(process.as_fd(), PATIENCE));
}
