//! Version 2, from the parent to the last counter.

use std::time::Duration;

use super::fake::{Fake, put};
use crate::cgroup::{CgroupLimits, Controller, Error, Parent};

const LIMITS: CgroupLimits = CgroupLimits { memory_bytes: 64 << 20, cpus: 1.5, processes: 100 };

/// A service of ours that systemd delegated to us.
fn service() -> Fake {
    let fake = Fake::two("cellblock.service");
    put(&fake.cgroup("cgroup.subtree_control"), "cpu memory pids");
    fake.add("cellblock.service", &[std::process::id()], "");
    fake
}

#[test]
fn the_parent_takes_the_place_of_the_process_which_moves_into_a_leaf() {
    let fake = service();
    let parent = Parent::create(&fake.discover(), "cellblock-a", Some(1 << 30)).unwrap();
    let me = std::process::id().to_string();
    assert_eq!(fake.text("cellblock.service/cgroup.procs"), "");
    assert_eq!(fake.text("cellblock.service/cellblock-daemon/cgroup.procs"), me);
    for dir in ["cellblock.service", "cellblock.service/cellblock-a"] {
        let mut words: Vec<_> =
            fake.text(&format!("{dir}/cgroup.subtree_control")).split(' ').map(str::to_owned).collect();
        words.sort();
        assert_eq!(words, ["cpu", "memory", "pids"]);
    }
    assert_eq!(fake.text("cellblock.service/cellblock-a/memory.max"), (1u64 << 30).to_string());
    assert_eq!(fake.text("cellblock.service/cellblock-a/memory.swap.max"), "0");

    parent.remove().unwrap();
    assert_eq!(fake.text("cellblock.service/cgroup.procs"), me);
    assert_eq!(fake.text("cellblock.service/cgroup.subtree_control"), "");
    assert_eq!(fake.made().len(), 1, "only the service's own cgroup is left: {:?}", fake.made());
}

#[test]
fn two_nodes_in_one_service_leave_each_other_alone() {
    let fake = service();
    let one = Parent::create(&fake.discover(), "cellblock-one", None).unwrap();
    put(&fake.path("proc/self/cgroup"), "0::/cellblock.service/cellblock-daemon\n");
    let two = Parent::create(&fake.discover(), "cellblock-two", None).unwrap();
    one.remove().unwrap();
    two.create_cell("c", &LIMITS).unwrap().remove().unwrap();
    two.remove().unwrap();
    assert_eq!(fake.made().len(), 1, "{:?}", fake.made());
}

#[test]
fn a_cell_gets_all_limits_and_no_swap() {
    let fake = service();
    let parent = Parent::create(&fake.discover(), "cellblock-a", None).unwrap();
    assert_eq!(fake.text("cellblock.service/cellblock-a/memory.max"), "max");
    let cell = parent.create_cell("01J", &LIMITS).unwrap();
    let text = |file: &str| fake.text(&format!("cellblock.service/cellblock-a/01J/{file}"));
    assert_eq!(text("memory.max"), (64u64 << 20).to_string());
    assert_eq!(text("memory.swap.max"), "0");
    assert_eq!(text("cpu.max"), "150000 100000");
    assert_eq!(text("pids.max"), "100");
    assert_eq!(text("memory.oom.group"), "0", "init must survive what its children do");

    cell.set_limits(&CgroupLimits { memory_bytes: 1 << 20, cpus: 0.001, processes: 1 }).unwrap();
    assert_eq!(text("memory.max"), (1u64 << 20).to_string());
    assert_eq!(text("cpu.max"), "1000 100000", "less than a millisecond is refused by the kernel");
    assert_eq!(cell.join_fds().unwrap().len(), 1);
    cell.remove().unwrap();
    parent.remove().unwrap();
    assert_eq!(fake.made().len(), 1);
}

#[test]
fn counters_are_read_from_the_kernels_files() {
    let fake = service();
    let parent = Parent::create(&fake.discover(), "cellblock-a", None).unwrap();
    let cell = parent.create_cell("c", &LIMITS).unwrap();
    let dir = fake.cgroup("cellblock.service/cellblock-a/c");
    put(&dir.join("memory.current"), "4096\n");
    put(&dir.join("memory.peak"), "8192\n");
    put(&dir.join("memory.events"), "max 7\noom 4\noom_kill 3\noom_group_kill 9\n");
    put(&dir.join("pids.events"), "max 5\n");
    put(&dir.join("cpu.stat"), "usage_usec 1500000\nuser_usec 1\n");
    assert_eq!(cell.memory_current().unwrap(), Some(4096));
    assert_eq!(cell.memory_peak().unwrap(), Some(8192));
    assert_eq!((cell.oom_kills().unwrap(), cell.pids_refused().unwrap()), (3, 5));
    assert_eq!(cell.cpu_usage().unwrap(), Some(Duration::from_millis(1500)));

    // Before 5.19 there is no peak; before 6.12 it cannot be reset.
    std::fs::remove_file(dir.join("memory.peak")).unwrap();
    assert_eq!(cell.memory_peak().unwrap(), None);
    assert!(!cell.reset_memory_peak().unwrap());
}

#[test]
fn a_host_that_gives_some_limits_gets_those() {
    let fake = Fake::two("cellblock.service");
    put(&fake.cgroup("cgroup.controllers"), "memory");
    put(&fake.cgroup("cgroup.subtree_control"), "memory");
    fake.add("cellblock.service", &[std::process::id()], "");
    let support = fake.discover();
    assert!(support.holds(Controller::Memory) && !support.holds(Controller::Cpu));
    let parent = Parent::create(&support, "cellblock-a", None).unwrap();
    // Without swap there is nothing to forbid.
    let cell = parent.create_cell("c", &LIMITS).unwrap();
    assert_eq!(cell.pids_refused().unwrap(), 0);
    assert_eq!(cell.cpu_usage().unwrap(), Some(Duration::ZERO), "time is counted without the controller");
}

#[test]
fn cells_are_adopted_and_swept_by_name() {
    let fake = service();
    let support = fake.discover();
    assert!(Parent::find(&support, "cellblock-a").unwrap().is_none());
    let parent = Parent::create(&support, "cellblock-a", None).unwrap();
    for id in ["one", "two", "three"] {
        parent.create_cell(id, &LIMITS).unwrap();
    }
    let twice = parent.create_cell("one", &LIMITS);
    assert!(matches!(twice, Err(Error::Create { .. })), "{twice:?}");
    assert!(parent.adopt("four").is_none());

    let later = Parent::find(&support, "cellblock-a").unwrap().expect("it is there");
    assert!(later.adopt("two").is_some());
    assert!(later.remove().is_err(), "cells live in it");
    assert_eq!(later.sweep(|id| id == "two").unwrap(), 2);
    assert!(later.adopt("one").is_none() && later.adopt("two").is_some());
    assert_eq!(later.sweep(|_| false).unwrap(), 1);
    parent.remove().unwrap();
    assert_eq!(fake.made().len(), 1);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let fake = service();
    let parent = Parent::create(&fake.discover(), "cellblock-a", None).unwrap();
    for name in ["", ".", "..", "a/b", "cgroup.procs", "a b", "ä", &"x".repeat(129)] {
        let made = parent.create_cell(name, &LIMITS);
        assert!(matches!(made, Err(Error::Name(_))), "{name}: {made:?}");
        assert!(parent.adopt(name).is_none());
    }
    assert!(matches!(Parent::create(&fake.discover(), "../x", None), Err(Error::Name(_))));
}

#[test]
fn nothing_can_be_made_where_nothing_is_given() {
    let fake = Fake::new(&[], &["0::/"]);
    let made = Parent::create(&fake.discover(), "cellblock-a", None);
    assert!(matches!(made, Err(Error::Unsupported)), "{made:?}");
    assert!(Parent::find(&fake.discover(), "cellblock-a").unwrap().is_none());
}
