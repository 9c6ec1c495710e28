//! What is found on hosts of all kinds, and where the parent goes.

use super::fake::{Fake, put};
use crate::cgroup::mounts::{Mount, mounts, own};
use crate::cgroup::{Cause, Controller, Support, Version};

fn me() -> u32 {
    std::process::id()
}

fn place(fake: &Fake, support: &Support) -> String {
    let [branch] = &support.branches[..] else { panic!("{support:?}") };
    branch.dir.strip_prefix(fake.cgroup("")).expect("it is in the tree").display().to_string()
}

fn held(support: &Support) -> Vec<&'static str> {
    Controller::ALL.into_iter().filter(|one| support.holds(*one)).map(Controller::name).collect()
}

fn causes(support: &Support) -> Vec<(Controller, Cause)> {
    for reason in support.why_not() {
        assert!(!support.holds(reason.controller), "{reason:?}");
        assert!(!reason.to_string().is_empty() && !reason.remedy().is_empty());
    }
    let known = support.why_not().len() + held(support).len();
    assert_eq!(known, 3, "each limit is held or has one reason: {support:?}");
    support.why_not().iter().map(|reason| (reason.controller, reason.cause.clone())).collect()
}

fn all(cause: &Cause) -> Vec<(Controller, Cause)> {
    Controller::ALL.map(|controller| (controller, cause.clone())).to_vec()
}

#[test]
fn root_in_a_login_session_uses_the_nearest_slice_that_can_give_everything() {
    let fake = Fake::two("user.slice/user-0.slice/session-1.scope");
    put(&fake.cgroup("cgroup.subtree_control"), "cpu memory pids");
    fake.add("user.slice", &[], "memory pids");
    fake.add("user.slice/user-0.slice", &[], "memory pids");
    fake.add("user.slice/user-0.slice/session-1.scope", &[10, me()], "");
    let support = fake.discover();
    assert_eq!(support.version(), Some(Version::V2));
    assert_eq!((place(&fake, &support), support.leave), ("user.slice".to_owned(), false));
    assert_eq!(held(&support), ["memory", "pids", "cpu"]);
    assert_eq!(causes(&support), []);
}

#[test]
fn a_delegated_service_uses_its_own_cgroup_and_leaves_it() {
    let fake = Fake::two("system.slice/cellblock.service");
    put(&fake.cgroup("cgroup.subtree_control"), "cpu memory pids");
    fake.add("system.slice", &[], "cpu memory pids");
    fake.add("system.slice/cellblock.service", &[me()], "");
    let support = fake.discover();
    assert_eq!((place(&fake, &support), support.leave), ("system.slice/cellblock.service".to_owned(), true));
    assert_eq!(causes(&support), []);
}

#[test]
fn a_service_that_runs_us_in_a_subgroup_is_used_without_a_move() {
    let fake = Fake::two("system.slice/cellblock.service/daemon");
    put(&fake.cgroup("cgroup.subtree_control"), "cpu memory pids");
    fake.add("system.slice", &[], "cpu memory pids");
    fake.add("system.slice/cellblock.service", &[], "");
    fake.add("system.slice/cellblock.service/daemon", &[me()], "");
    let support = fake.discover();
    assert_eq!((place(&fake, &support), support.leave), ("system.slice/cellblock.service".to_owned(), false));
}

#[test]
fn a_user_in_a_desktop_terminal_uses_the_slice_that_systemd_handed_down() {
    let app = "user.slice/user-1000.slice/user@1000.service/app.slice";
    let fake = Fake::two(&format!("{app}/vte-1.scope"));
    put(&fake.cgroup("cgroup.subtree_control"), "cpu memory pids");
    fake.add("user.slice", &[], "memory pids");
    fake.add("user.slice/user-1000.slice", &[], "memory pids");
    fake.add("user.slice/user-1000.slice/user@1000.service", &[], "memory pids");
    fake.add(app, &[], "memory pids");
    fake.add(&format!("{app}/vte-1.scope"), &[77, me()], "");
    for path in ["", "user.slice", "user.slice/user-1000.slice"] {
        fake.lock(path);
    }
    let support = fake.discover();
    assert_eq!((place(&fake, &support), support.leave), (app.to_owned(), false));
    assert_eq!(held(&support), ["memory", "pids"]);
    assert_eq!(causes(&support), [(Controller::Cpu, Cause::NotDelegated { cgroup: format!("/{app}") })]);
    assert!(support.why_not()[0].remedy().contains("delegate.conf"));
}

#[test]
fn a_scope_made_for_us_is_used() {
    let scope = "user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope";
    let fake = Fake::two(scope);
    put(&fake.cgroup("cgroup.subtree_control"), "cpu memory pids");
    for path in ["user.slice", "user.slice/user-1000.slice", "user.slice/user-1000.slice/user@1000.service"] {
        fake.add(path, &[], "cpu memory pids");
    }
    fake.add("user.slice/user-1000.slice/user@1000.service/app.slice", &[], "cpu memory pids");
    fake.add(scope, &[me()], "");
    let support = fake.discover();
    assert_eq!((place(&fake, &support), support.leave), (scope.to_owned(), true));
    assert_eq!(held(&support).len(), 3);
}

#[test]
fn a_user_logged_in_by_ssh_gets_nothing_and_is_told_what_to_do() {
    let session = "user.slice/user-1000.slice/session-3.scope";
    let fake = Fake::two(session);
    put(&fake.cgroup("cgroup.subtree_control"), "cpu memory pids");
    for path in ["user.slice", "user.slice/user-1000.slice"] {
        fake.add(path, &[], "cpu memory pids");
    }
    fake.add(session, &[77, me()], "");
    for path in ["", "user.slice", "user.slice/user-1000.slice", session] {
        fake.lock(path);
    }
    let support = fake.discover();
    assert_eq!(support.version(), None);
    assert_eq!(causes(&support), all(&Cause::NotOurs { cgroup: format!("/{session}") }));
    assert!(support.why_not()[0].remedy().contains("systemd-run --user --scope -p Delegate=yes"));
}

#[test]
fn a_container_divides_its_root_only_if_nobody_else_is_there() {
    let container = |processes: &[u32]| {
        let fake = Fake::two("");
        fake.add("", processes, "");
        // Only the kernel's own root lacks this.
        put(&fake.cgroup("cgroup.events"), "populated 1\n");
        fake
    };
    let alone = container(&[me()]);
    let support = alone.discover();
    assert_eq!((place(&alone, &support), support.leave), (String::new(), true));

    let shared = container(&[1, 7, me()]).discover();
    assert_eq!(shared.version(), None);
    assert_eq!(causes(&shared), all(&Cause::Shared { cgroup: "/".to_owned(), others: 2 }));

    // An entry point that moved everybody into a leaf has made room.
    let roomy = container(&[]);
    roomy.add("init", &[1, 7, me()], "");
    put(&roomy.path("proc/self/cgroup"), "0::/init\n");
    let support = roomy.discover();
    assert_eq!((place(&roomy, &support), support.leave), (String::new(), false));
    assert_eq!(held(&support).len(), 3);
}

#[test]
fn a_process_that_sits_in_its_leaf_already_finds_the_same_place() {
    let fake = Fake::two("system.slice/cellblock.service/cellblock-daemon");
    put(&fake.cgroup("cgroup.subtree_control"), "cpu memory pids");
    fake.add("system.slice", &[], "cpu memory pids");
    fake.add("system.slice/cellblock.service", &[], "cpu memory pids");
    fake.add("system.slice/cellblock.service/cellblock-daemon", &[me()], "");
    let support = fake.discover();
    assert_eq!((place(&fake, &support), support.leave), ("system.slice/cellblock.service".to_owned(), true));
}

#[test]
fn a_read_only_mount_is_said_to_be_one() {
    let two = "30 23 0:26 / /sys/fs/cgroup ro,nosuid shared:4 - cgroup2 cgroup rw";
    let fake = Fake::new(&[two], &["0::/"]);
    put(&fake.cgroup("cgroup.procs"), "1\n");
    put(&fake.cgroup("cgroup.controllers"), "cpu memory pids\n");
    assert_eq!(causes(&fake.discover()), all(&Cause::ReadOnly));

    let one = "30 23 0:26 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory";
    let fake = Fake::new(&[one], &["2:memory:/", "3:pids:/", "4:cpu:/"]);
    let causes = causes(&fake.discover());
    assert_eq!(causes[0], (Controller::Memory, Cause::ReadOnly));
    assert_eq!(causes[1], (Controller::Pids, Cause::NotMounted));
}

#[test]
fn a_host_without_cgroups_is_said_to_be_one() {
    let fake = Fake::new(&["22 27 0:21 / /proc rw - proc proc rw"], &["0::/"]);
    let support = fake.discover();
    assert_eq!((support.version(), causes(&support)), (None, all(&Cause::NotMounted)));
}

#[test]
fn a_kernel_without_a_controller_is_said_to_lack_it() {
    let fake = Fake::two("");
    put(&fake.cgroup("cgroup.controllers"), "cpu pids\n");
    put(&fake.cgroup("cgroup.subtree_control"), "\n");
    let support = fake.discover();
    assert_eq!(held(&support), ["pids", "cpu"]);
    assert_eq!(causes(&support), [(Controller::Memory, Cause::NotInKernel)]);
    assert!(support.why_not()[0].remedy().contains("cgroup_enable=memory"));
}

#[test]
fn a_hybrid_host_uses_the_version_that_has_the_controllers() {
    let fake = Fake::one(&["memory", "pids", "cpu", "cpuacct"], "");
    let mountinfo = fake.path("proc/self/mountinfo");
    let text = std::fs::read_to_string(&mountinfo).unwrap();
    put(&mountinfo, &format!("{text}41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"));
    let cgroup = fake.path("proc/self/cgroup");
    put(&cgroup, &format!("{}0::/\n", std::fs::read_to_string(&cgroup).unwrap()));
    put(&fake.cgroup("unified/cgroup.controllers"), "hugetlb\n");
    put(&fake.cgroup("unified/cgroup.subtree_control"), "\n");
    put(&fake.cgroup("unified/cgroup.procs"), "1\n");
    put(&fake.cgroup("cpu/cpu.cfs_quota_us"), "-1");
    let support = fake.discover();
    assert_eq!(support.version(), Some(Version::V1));
    assert_eq!(held(&support).len(), 3);
    assert_eq!(support.branches.len(), 4);
}

#[test]
fn version_one_controllers_that_are_mounted_together_share_a_directory() {
    let fake = Fake::one(&["memory", "pids", "cpu,cpuacct"], "");
    put(&fake.cgroup("cpu,cpuacct/cpu.cfs_quota_us"), "-1");
    assert_eq!(fake.discover().branches.len(), 3);
}

#[test]
fn version_one_without_bandwidth_control_cannot_limit_cpu() {
    let fake = Fake::one(&["memory", "pids", "cpu,cpuacct"], "");
    std::fs::remove_file(fake.cgroup("cpu,cpuacct/cpu.cfs_quota_us")).unwrap();
    let support = fake.discover();
    assert_eq!(held(&support), ["memory", "pids"]);
    assert_eq!(causes(&support), [(Controller::Cpu, Cause::NoLimit { file: "cpu.cfs_quota_us" })]);
}

#[test]
fn version_one_stays_below_a_service_and_beside_a_session() {
    let memory = |own: &str| {
        let fake = Fake::one(&["memory"], own);
        let support = fake.discover();
        support.branches[0].dir.strip_prefix(fake.cgroup("memory")).unwrap().display().to_string()
    };
    assert_eq!(memory("system.slice/cellblock.service"), "system.slice/cellblock.service");
    assert_eq!(memory("user.slice/user-0.slice/session-4.scope"), "user.slice/user-0.slice");
    assert_eq!(memory("jobs/1f00"), "jobs/1f00");
}

#[test]
fn a_container_of_version_one_sees_its_part_of_the_tree() {
    let mount = "34 31 0:29 /docker/ab12 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
    let fake = Fake::new(&[mount], &["4:memory:/docker/ab12", "5:pids:/docker/ab12", "6:cpu:/docker/ab12"]);
    put(&fake.cgroup("memory/cgroup.procs"), "1\n");
    let support = fake.discover();
    assert_eq!(support.branches[0].dir, fake.cgroup("memory"));
    assert_eq!(held(&support), ["memory"]);

    // A cgroup that is not in the mount cannot be found.
    put(&fake.path("proc/self/cgroup"), "4:memory:/../other\n");
    let support = fake.discover();
    assert_eq!(causes(&support)[0], (Controller::Memory, Cause::NotOurs { cgroup: "/../other".to_owned() }));
    assert_eq!(causes(&support)[1], (Controller::Pids, Cause::NotInKernel));
}

#[test]
fn a_user_on_version_one_is_told_that_it_takes_root() {
    let fake = Fake::one(&["memory", "pids", "cpu,cpuacct"], "job");
    for mount in ["memory", "pids", "cpu,cpuacct"] {
        std::fs::remove_file(fake.cgroup(mount).join("job/cgroup.procs")).unwrap();
    }
    let support = fake.discover();
    assert_eq!(support.version(), None);
    assert_eq!(causes(&support), all(&Cause::NotRoot { cgroup: "/job".to_owned() }));
    assert!(support.why_not()[0].remedy().contains("as root"));
}

#[test]
fn mountinfo_is_read_as_the_kernel_writes_it() {
    let text = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n\
        31 30 0:26 / /sys/fs/cgroup\\040here\\134 rw shared:1 master:2 - cgroup2 none rw\n\
        32 30 0:27 /a /c rw - cgroup none ro,cpu,cpuacct\n\
        rubbish\n\
        1 2 3 - cgroup2\n";
    let found = mounts(text);
    assert_eq!(found[0].point.to_str(), Some("/sys/fs/cgroup here\\"));
    assert_eq!((&found[0].controllers, found[0].read_only), (&None, false));
    assert_eq!(found[1].controllers.as_ref().map(|all| all.contains(&"cpuacct".to_owned())), Some(true));
    assert!(found[1].read_only);
    assert_eq!(found.len(), 2);

    let locate = |root: &str, cgroup: &str| {
        let mount = Mount { root: root.into(), point: "/p".into(), controllers: None, read_only: false };
        mount.locate(cgroup.as_ref()).map(|path| path.display().to_string())
    };
    assert_eq!(locate("/", "/a/b").as_deref(), Some("a/b"));
    assert_eq!(locate("/a", "/a").as_deref(), Some(""));
    assert_eq!(locate("/a", "/ab"), None);
    assert_eq!(locate("/", "/../b"), None);

    let cgroups = "4:cpu,cpuacct:/one\n1:name=systemd:/init.scope\n0::/two:with:colons\n";
    assert_eq!(own(cgroups, Some("cpuacct")).unwrap().to_str(), Some("/one"));
    assert_eq!(own(cgroups, None).unwrap().to_str(), Some("/two:with:colons"));
    assert_eq!(own(cgroups, Some("memory")), None);
}
