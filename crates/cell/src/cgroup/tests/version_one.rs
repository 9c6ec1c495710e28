//! Version 1, from the parent to the last counter.

use std::time::Duration;

use super::fake::{Fake, put};
use crate::cgroup::{CgroupLimits, Error, Parent};

const LIMITS: CgroupLimits = CgroupLimits { memory_bytes: 64 << 20, cpus: 2.0, processes: 100 };
const MOUNTS: [&str; 3] = ["memory", "pids", "cpu,cpuacct"];

fn host() -> Fake {
    Fake::one(&MOUNTS, "job")
}

#[test]
fn a_cell_has_a_directory_in_every_tree() {
    let fake = host();
    let parent = Parent::create(&fake.discover(), "cellblock-a", Some(1 << 30)).unwrap();
    assert_eq!(fake.text("memory/job/cellblock-a/memory.limit_in_bytes"), (1u64 << 30).to_string());
    let cell = parent.create_cell("c", &LIMITS).unwrap();
    let megabytes = (64u64 << 20).to_string();
    assert_eq!(fake.text("memory/job/cellblock-a/c/memory.limit_in_bytes"), megabytes);
    assert_eq!(fake.text("memory/job/cellblock-a/c/memory.memsw.limit_in_bytes"), megabytes);
    assert_eq!(fake.text("pids/job/cellblock-a/c/pids.max"), "100");
    assert_eq!(fake.text("cpu,cpuacct/job/cellblock-a/c/cpu.cfs_period_us"), "100000");
    assert_eq!(fake.text("cpu,cpuacct/job/cellblock-a/c/cpu.cfs_quota_us"), "200000");
    assert_eq!(cell.join_fds().unwrap().len(), 3);

    // Up and down again; the sum with swap never passes below memory alone.
    for bytes in [128 << 20, 32 << 20] {
        cell.set_limits(&CgroupLimits { memory_bytes: bytes, ..LIMITS }).unwrap();
        let both = fake.text("memory/job/cellblock-a/c/memory.memsw.limit_in_bytes");
        assert_eq!(both, bytes.to_string());
    }
    cell.remove().unwrap();
    parent.remove().unwrap();
    assert_eq!(fake.made(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_kernel_that_does_not_count_swap_does_not_swap_for_the_limits_sake() {
    let fake = host();
    std::fs::remove_file(fake.cgroup("memory/memory.memsw.limit_in_bytes")).unwrap();
    std::fs::remove_file(fake.cgroup("memory/job/memory.memsw.limit_in_bytes")).unwrap();
    let parent = Parent::create(&fake.discover(), "cellblock-a", None).unwrap();
    assert_eq!(fake.text("memory/job/cellblock-a/memory.swappiness"), "0");
    assert_eq!(fake.text("memory/job/cellblock-a/memory.limit_in_bytes"), "-1");
    parent.create_cell("c", &LIMITS).unwrap();
}

#[test]
fn an_old_kernel_is_told_to_count_children() {
    let fake = host();
    let parent = Parent::create(&fake.discover(), "cellblock-a", None).unwrap();
    parent.remove().unwrap();
    std::fs::create_dir(fake.cgroup("memory/job/cellblock-a")).unwrap();
    super::fake::fill(&fake.cgroup("memory/job/cellblock-a"));
    put(&fake.cgroup("memory/job/cellblock-a/memory.use_hierarchy"), "0");
    Parent::create(&fake.discover(), "cellblock-a", None).unwrap();
    assert_eq!(fake.text("memory/job/cellblock-a/memory.use_hierarchy"), "1");
}

#[test]
fn no_cell_asks_for_more_processors_than_those_above_it_have() {
    let fake = host();
    put(&fake.cgroup("cpu,cpuacct/job/cpu.cfs_quota_us"), "75000");
    put(&fake.cgroup("cpu,cpuacct/job/cpu.cfs_period_us"), "50000");
    put(&fake.cgroup("cpu,cpuacct/cpu.cfs_quota_us"), "-1");
    let parent = Parent::create(&fake.discover(), "cellblock-a", None).unwrap();
    parent.create_cell("c", &LIMITS).unwrap();
    assert_eq!(fake.text("cpu,cpuacct/job/cellblock-a/c/cpu.cfs_quota_us"), "150000");
}

#[test]
fn a_cell_that_cannot_have_everything_leaves_nothing() {
    let fake = host();
    let parent = Parent::create(&fake.discover(), "cellblock-a", None).unwrap();
    // Something of that name is in the way in the last tree.
    std::fs::create_dir(fake.cgroup("cpu,cpuacct/job/cellblock-a/c")).unwrap();
    let made = parent.create_cell("c", &LIMITS);
    assert!(matches!(made, Err(Error::Create { .. })), "{made:?}");
    assert!(!fake.cgroup("memory/job/cellblock-a/c").exists());
    assert!(!fake.cgroup("pids/job/cellblock-a/c").exists());

    // A limit that the kernel refuses.
    std::fs::remove_file(fake.cgroup("pids/pids.max")).unwrap_or_default();
    std::fs::remove_file(fake.cgroup("pids/job/cellblock-a/pids.max")).unwrap();
    let made = parent.create_cell("d", &LIMITS);
    assert!(matches!(made, Err(Error::Write { .. })), "{made:?}");
    for mount in MOUNTS {
        assert!(!fake.cgroup(mount).join("job/cellblock-a/d").exists(), "{mount}");
    }
}

#[test]
fn half_a_cell_is_swept_like_a_whole_one() {
    let fake = host();
    let parent = Parent::create(&fake.discover(), "cellblock-a", None).unwrap();
    parent.create_cell("whole", &LIMITS).unwrap();
    std::fs::create_dir(fake.cgroup("pids/job/cellblock-a/half")).unwrap();
    assert_eq!(parent.sweep(|_| false).unwrap(), 2);
    parent.remove().unwrap();
    assert_eq!(fake.made(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn counters_are_read_from_the_kernels_files() {
    let fake = host();
    let parent = Parent::create(&fake.discover(), "cellblock-a", None).unwrap();
    let cell = parent.create_cell("c", &LIMITS).unwrap();
    let dir = |mount: &str| fake.cgroup(mount).join("job/cellblock-a/c");
    put(&dir("memory").join("memory.usage_in_bytes"), "4096\n");
    put(&dir("memory").join("memory.max_usage_in_bytes"), "8192\n");
    put(&dir("memory").join("memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
    put(&dir("pids").join("pids.events"), "max 5\n");
    put(&dir("cpu,cpuacct").join("cpuacct.usage"), "1500000000\n");
    assert_eq!(cell.memory_current().unwrap(), Some(4096));
    assert_eq!(cell.memory_peak().unwrap(), Some(8192));
    assert_eq!((cell.oom_kills().unwrap(), cell.pids_refused().unwrap()), (2, 5));
    assert_eq!(cell.cpu_usage().unwrap(), Some(Duration::from_millis(1500)));
    assert!(cell.reset_memory_peak().unwrap());
    assert_eq!(cell.memory_peak().unwrap(), Some(0));
}
