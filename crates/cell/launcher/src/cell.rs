//! Makes one cell: the launcher's side, and the child's on its way to be init.
//!
//! ```text
//! launcher                              child
//!   clone3(mount, PID, net, IPC, UTS) ──▶ join cgroups, unshare(cgroup)
//!                             ◀── "d" ── mounts, network, host name; doors (as root of the outer user namespace)
//!                                         unshare(user)
//!   write the maps            ◀── "u" ──
//!                             ── "m" ──▶ ids, capabilities, descriptors, filter
//!   reply to the daemon       ◀── "r" ── init
//! ```
//!
//! Mounts and network are made before the cell's user namespace is, so they belong to the outer one, and nobody in
//! the cell, whatever he becomes there, has power over them. The child has no parent-death signal: a cell outlives
//! its launcher.

use std::convert::Infallible;
use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use policy::{
    CELLS, CellPlan, Confinement, HOME, HOST_PROC, INIT, LAYER_LINK, LAYER_MODULES, MOUNTS, Mount, WORKSPACE,
};
use protocol::launcher::Failure;
use sys::landlock::Ruleset;
use sys::mount::{self, Forbid};
use sys::namespace::{self, Forked, Kind};
use sys::privilege::{self, Capability};

use crate::init;
use crate::network;
use crate::step::Step;
use crate::template::cover;
use crate::walls::{Layer, Walls};

/// Stands for every file that is masked.
const EMPTY: &str = "/sys/cell/empty";

/// A cell that was made.
pub(crate) struct Made {
    pub(crate) pid: u32,
    pub(crate) pidfd: OwnedFd,
    /// The daemon's sockets in the cell's network namespace; none where nothing leaves.
    pub(crate) doors: Vec<OwnedFd>,
}

/// Makes the cell. In the child this does not return.
pub(crate) fn create(plan: &CellPlan, listener: OwnedFd, cgroups: &[OwnedFd]) -> Result<Made, Failure> {
    make(plan, Walls::ALL, listener, cgroups, |setup| init::run(setup))
}

/// The journey itself; what the child is at its end, `arrived` tells.
pub(crate) fn make(
    plan: &CellPlan,
    walls: Walls,
    listener: OwnedFd,
    cgroups: &[OwnedFd],
    arrived: impl FnOnce(init::Setup) -> Infallible,
) -> Result<Made, Failure> {
    let (ours, theirs) = UnixStream::pair().step("make a socket")?;
    let kinds: Vec<Kind> = Kind::CELL.into_iter().filter(|kind| walls.have(layer(*kind))).collect();
    match namespace::fork_into(&kinds).step("make namespaces")? {
        Forked::Child => {
            drop(ours);
            become_init(plan, walls, listener, cgroups, theirs, arrived)
        }
        Forked::Parent { pid, pidfd } => {
            drop(theirs);
            let made = attend(plan, walls, pid, &ours);
            if made.is_err() {
                let _ = namespace::kill(pidfd.as_fd());
            }
            made.map(|doors| Made { pid, pidfd, doors })
        }
    }
}

/// The layer that a namespace is.
fn layer(kind: Kind) -> Layer {
    match kind {
        Kind::Mount => Layer::Mount,
        Kind::Pid => Layer::Pid,
        Kind::Net => Layer::Net,
        Kind::Ipc => Layer::Ipc,
        Kind::Uts => Layer::Uts,
    }
}

/// Waits for the child's doors and its word, writes its maps, and waits again; gives the doors.
fn attend(plan: &CellPlan, walls: Walls, pid: u32, child: &UnixStream) -> Result<Vec<OwnedFd>, Failure> {
    let doors = hear(child, b'd')?;
    if walls.have(Layer::User) {
        hear(child, b'u')?;
        write_maps(plan, walls, pid)?;
        (&mut &*child).write_all(b"m").step("answer the cell")?;
    }
    hear(child, b'r')?;
    Ok(doors)
}

fn write_maps(plan: &CellPlan, walls: Walls, pid: u32) -> Result<(), Failure> {
    let proc = if walls.have(Layer::Root) { HOST_PROC } else { "/proc" };
    let (user, init) = (plan.ids.user, plan.ids.init);
    let inside = plan.confinement.uid;
    let map = if user == init {
        format!("{inside} {user} 1\n")
    } else {
        format!("{INIT} {init} 1\n{inside} {user} 1\n")
    };
    for name in ["uid_map", "gid_map"] {
        fs::write(format!("{proc}/{pid}/{name}"), &map).step(format_args!("write the {name}"))?;
    }
    Ok(())
}

/// Reads the child's next word, with what comes along: the one expected, or a failure.
fn hear(mut child: &UnixStream, expected: u8) -> Result<Vec<OwnedFd>, Failure> {
    use std::io::Read;
    let mut word = [0];
    let (len, descriptors, _) = sys::scm::recv_with_fds(child, &mut word).step("hear from the cell")?;
    if len == 0 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof)).step("hear from the cell");
    }
    if word[0] == expected {
        return Ok(descriptors);
    }
    let mut errno = [0; 4];
    let mut step = String::new();
    child.read_exact(&mut errno).step("hear from the cell")?;
    child.read_to_string(&mut step).step("hear from the cell")?;
    Err(Failure { step, errno: i32::from_ne_bytes(errno) })
}

fn become_init(
    plan: &CellPlan,
    walls: Walls,
    listener: OwnedFd,
    cgroups: &[OwnedFd],
    parent: UnixStream,
    arrived: impl FnOnce(init::Setup) -> Infallible,
) -> ! {
    let join = |cgroup: &OwnedFd| write(cgroup.as_fd(), b"0").step("join a cgroup");
    let joined = if walls.have(Layer::Cgroup) { cgroups.iter().try_for_each(join) } else { Ok(()) };
    let arranged = joined.and_then(|()| {
        if walls.have(Layer::Descriptors) {
            return arrange(listener, &parent);
        }
        Ok((listener, parent.try_clone().step("keep the socket")?))
    });
    let (listener, mut parent) = match arranged {
        Ok(arranged) => arranged,
        Err(failure) => fail(&parent, &failure),
    };
    let landlock = match settle(plan, walls, &parent) {
        Ok(landlock) => landlock,
        Err(failure) => fail(&parent, &failure),
    };
    if parent.write_all(b"r").is_err() {
        std::process::exit(1);
    }
    drop(parent);
    let setup = init::Setup {
        listener,
        linger_ms: plan.linger_ms,
        user: (plan.confinement.uid, plan.confinement.gid),
        own_uid_is_user: plan.ids.user == plan.ids.init,
        soft_memory: plan.soft_memory,
        landlock,
    };
    match arrived(setup) {}
}

fn fail(mut parent: &UnixStream, failure: &Failure) -> ! {
    let _ = parent.write_all(b"f");
    let _ = parent.write_all(&failure.errno.to_ne_bytes());
    let _ = parent.write_all(failure.step.as_bytes());
    std::process::exit(1)
}

/// Keeps two descriptors and closes all others: 3, the daemon's door, and 4, for a moment, the launcher's ear.
fn arrange(listener: OwnedFd, parent: &UnixStream) -> Result<(OwnedFd, UnixStream), Failure> {
    let parent: OwnedFd = parent.as_fd().try_clone_to_owned().step("keep the socket")?;
    privilege::place(listener, 3).step("place the listener")?;
    privilege::place(parent, 4).step("place the socket")?;
    privilege::close_from(5).step("close the descriptors")?;
    Ok((privilege::adopt(3), privilege::adopt(4).into()))
}

fn settle(plan: &CellPlan, walls: Walls, parent: &UnixStream) -> Result<Option<Ruleset>, Failure> {
    if walls.have(Layer::CgroupNamespace) {
        namespace::unshare_cgroup().step("make a cgroup namespace")?;
    }
    if walls.have(Layer::Root) {
        mounts(plan)?;
    }
    let mut doors = Vec::new();
    if walls.have(Layer::Net) {
        namespace::loopback_up().step("bring up the loopback interface")?;
        doors = plan.rules.as_ref().map(network::open).transpose()?.unwrap_or_default();
    }
    let theirs: Vec<_> = doors.iter().map(AsFd::as_fd).collect();
    sys::scm::send_with_fds(parent, b"d", &theirs).step("hand over the doors")?;
    drop(doors);
    if walls.have(Layer::Uts) {
        namespace::set_hostname(&plan.hostname).step("set the host name")?;
    }
    if walls.have(Layer::User) {
        namespace::unshare_user().step("make a user namespace")?;
        (&mut &*parent).write_all(b"u").step("call the launcher")?;
        hear(parent, b'm')?;
    }
    confine(plan, walls)?;
    let grants = plan.confinement.landlock.as_ref().filter(|_| walls.have(Layer::Landlock));
    let Some(grants) = grants else { return Ok(None) };
    let grants = grants.iter().map(|grant| (grant.path.as_str(), grant.rights.0));
    Ruleset::new(grants).step("make the rules about paths")
}

fn write(fd: BorrowedFd, bytes: &[u8]) -> io::Result<()> {
    fs::File::from(fd.try_clone_to_owned()?).write_all(bytes)
}

fn mounts(plan: &CellPlan) -> Result<(), Failure> {
    let quiet = Forbid { exec: true, ..Forbid::SUID_AND_DEVICES };
    // Programs may be run from /tmp: compilers and package managers do.
    mount::tmpfs("/tmp", plan.tmp_bytes, 0o1777, Forbid::SUID_AND_DEVICES).step("mount /tmp")?;
    mount::tmpfs("/dev/shm", plan.tmp_bytes, 0o1777, quiet).step("mount /dev/shm")?;
    mount::devpts("/dev/pts", 64).step("mount /dev/pts")?;

    let own = format!("{CELLS}/{}", plan.session);
    if !plan.mount.is_usual() {
        make_place(&plan.mount).step(format_args!("make {}", plan.mount))?;
    }
    for (source, target) in [("workspace", plan.mount.as_str()), ("home", HOME)] {
        mount::bind(&format!("{own}/{source}"), target, Forbid::SUID_AND_DEVICES)
            .step(format_args!("mount {target}"))?;
    }

    mount::proc("/proc").step("mount /proc")?;
    own_files(plan)?;
    for path in &plan.masked {
        match fs::metadata(path.as_str()) {
            Ok(found) if found.is_dir() => cover(path.as_str()).step(format_args!("cover {path}"))?,
            Ok(_) => {
                // Not /dev/null: on a mount without devices it cannot be opened, and libraries expect to read nothing.
                mount::bind(EMPTY, path.as_str(), Forbid { write: true, ..quiet })
                    .step(format_args!("cover {path}"))?;
            }
            Err(_) => {}
        }
    }
    for path in plan.read_only.iter().filter(|path| Path::new(path.as_str()).exists()) {
        mount::bind(path.as_str(), path.as_str(), Forbid { write: true, ..quiet })
            .step(format_args!("make {path} read-only"))?;
    }
    // What the launcher needed and no cell may have.
    for path in [CELLS, HOST_PROC] {
        mount::detach(path).step(format_args!("let go of {path}"))?;
    }
    Ok(())
}

/// A place for the workspace that the template does not have, over the one that it has, which becomes a link to it. The
/// root is the same for all cells, and read-only.
fn make_place(mount: &Mount) -> io::Result<()> {
    let quiet = Forbid { exec: true, ..Forbid::SUID_AND_DEVICES };
    mount::tmpfs(MOUNTS, 16 << 10, 0o755, quiet)?;
    fs::create_dir(mount.as_str())?;
    std::os::unix::fs::symlink(mount.name(), WORKSPACE)?;
    if mount.as_str() != LAYER_LINK {
        std::os::unix::fs::symlink(LAYER_MODULES, LAYER_LINK)?;
    }
    mount::restrict(MOUNTS, Forbid { write: true, ..quiet })
}

/// The files that tell the cell of itself. Those for /proc and /etc are made below /sys and bound over the originals.
fn own_files(plan: &CellPlan) -> Result<(), Failure> {
    let quiet = Forbid { exec: true, ..Forbid::SUID_AND_DEVICES };
    // Each file takes a page; a machine with hundreds of processors has a few thousand.
    mount::tmpfs("/sys", 16 << 20, 0o555, quiet).step("mount /sys")?;
    fs::create_dir("/sys/cell").and_then(|()| fs::write(EMPTY, "")).step("make an empty file")?;
    for file in &plan.files {
        let path = file.path.as_str();
        let place = match path.strip_prefix("/proc/").or_else(|| path.strip_prefix("/etc/")) {
            Some(name) => format!("/sys/cell/{name}"),
            None => path.to_owned(),
        };
        let parent = Path::new(&place).parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&place, &file.content))
            .step(format_args!("make {place}"))?;
        if place != path {
            mount::bind(&place, path, Forbid { write: true, ..quiet }).step(format_args!("mount {path}"))?;
        }
    }
    mount::restrict("/sys", Forbid { write: true, ..quiet }).step("make /sys read-only")
}

/// From root of the outer user namespace to what init is for the rest of its life.
fn confine(plan: &CellPlan, walls: Walls) -> Result<(), Failure> {
    let Confinement { uid, gid, drop_groups, rlimits, processors, filters, landlock: _ } = &plan.confinement;
    let one_id = plan.ids.user == plan.ids.init;

    privilege::default_signals();
    privilege::new_session().step("make a session")?;
    for limit in rlimits.iter().filter(|_| walls.have(Layer::Rlimits)) {
        privilege::lower_rlimit(limit.resource as u8, limit.soft, limit.hard)
            .step(format_args!("limit {:?}", limit.resource))?;
    }
    if !processors.is_empty() {
        privilege::set_processors(processors).step("choose processors")?;
    }
    if walls.have(Layer::User) {
        if *drop_groups {
            privilege::drop_groups().step("leave the groups")?;
        }
        let (own_uid, own_gid) = if one_id { (*uid, *gid) } else { (INIT, INIT) };
        privilege::set_ids(own_uid, own_gid).step("change the ids")?;
    }
    if walls.have(Layer::Capabilities) {
        // With an id of its own, init needs these three, in this user namespace alone, to start processes as the
        // cell's user and to end them.
        let keep: &[Capability] =
            if one_id { &[] } else { &[Capability::Kill, Capability::SetGid, Capability::SetUid] };
        privilege::keep_capabilities(keep).step("drop the capabilities")?;
    }
    if walls.have(Layer::NoNewPrivileges) {
        privilege::no_new_privileges().step("give up new privileges")?;
    }
    privilege::set_dumpable(false).step("close the memory to others")?;
    for filter in filters.iter().filter(|_| walls.have(Layer::Seccomp)) {
        privilege::install_filter(filter).step("install a system-call filter")?;
    }
    Ok(())
}
