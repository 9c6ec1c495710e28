//! A node: the outer user namespace, its launcher, and the cells made there.
//!
//! ```text
//! <data>/nodes/<node>/lock              held while the node's daemon lives
//!                    /sockets/<session> where init listens; the daemon's alone
//!                    /cells/<session>/workspace, home
//!                    /homes             made ahead
//! <data>/unsaved/<session>              what was to be kept of a cell (`unsaved`)
//! ```
//!
//! Several nodes may share a data directory: each `cellblock run` is one. A node whose lock nobody holds has died
//! without tidying up; the next node that starts does it for it, and puts aside what was to be kept (`unsaved`).

use std::borrow::Cow;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use policy::network::{Mode, Rules};
use policy::{CellRequest, Confinement, HostPath, OuterIds, Roots};
use protocol::Spawn;
use protocol::launcher::Request;
use sys::file::Lock;
use sys::netlink::own_addresses;

use crate::cell::{Cell, Place};
use crate::error::{At, Result};
use crate::homes::Homes;
use crate::host;
use crate::ids::Ids;
use crate::launcher::Launcher;
use crate::limits::Limiter;
use crate::unsaved;

/// Where a node finds its things.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// The data directory; cells live below its `nodes`.
    pub data: PathBuf,
    /// The environment that cells see at `/opt/cellblock/env`.
    pub environment: PathBuf,
    /// The kernels' sources that cells see at `/opt/cellblock/runtime`; a home begins with what is below `home` there.
    pub runtime: PathBuf,
    /// Memory for all cells together, bytes.
    pub total_memory: Option<u64>,
}

/// A process that the launcher started in a copy of the template.
#[derive(Debug)]
pub struct Process {
    /// Readable when it has ended.
    pub pidfd: OwnedFd,
    /// Its id on the host.
    pub pid: u32,
}

/// One outer user namespace with its launcher.
#[derive(Debug)]
pub struct Node {
    launcher: Launcher,
    shared: Arc<Shared>,
    filters: Vec<Vec<u8>>,
    homes: Option<Homes>,
    facts: policy::Node,
    directory: PathBuf,
    _lock: Lock,
}

/// What cells need of their node, also after it is gone.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ids: Ids,
    pub(crate) limiter: Limiter,
    /// Where files are put that are to be kept.
    pub(crate) unsaved: PathBuf,
}

impl Node {
    /// Makes the outer user namespace and starts the launcher; tidies up after nodes that died.
    pub fn start(options: &NodeOptions) -> Result<Node> {
        let nodes = options.data.join("nodes");
        fs::create_dir_all(&nodes).at("create", &nodes)?;
        let unsaved = options.data.join("unsaved");
        sweep(&nodes, &unsaved);
        let (directory, lock) = claim(&nodes)?;
        let homes = Homes::new(&options.runtime.join("home"), directory.join("homes"))?;

        // Root of a container may lack what it takes; then it is an ordinary user.
        let privileged = sys::file::own_ids().0 == 0 && sys::mount::clone_tree("/usr").is_ok();
        let ids = Ids::take(privileged)?;
        let limiter = Limiter::new(&name(&directory), options.total_memory)?;

        let path = |path: &Path| HostPath(path.display().to_string());
        let roots = Roots {
            environment: path(&options.environment),
            runtime: path(&options.runtime),
            cells: path(&directory.join("cells")),
        };
        let launcher = Launcher::start(ids.outer, policy::template(&host::facts(), &roots))?;
        let facts = policy::Node {
            processors: sys::file::processors().step("ask for the processors")?,
            cpuinfo: fs::read_to_string("/proc/cpuinfo").unwrap_or_default(),
            boot_time: host::boot_time(),
            hard: limiter.hard(),
            drop_groups: matches!(ids.outer, OuterIds::Block { .. }),
            addresses: Vec::new(),
        };
        let filters = policy::seccomp::programs().iter().map(policy::seccomp::Program::encode).collect();
        Ok(Node {
            launcher,
            shared: Arc::new(Shared { ids, limiter, unsaved }),
            filters,
            homes: Some(homes),
            facts,
            directory,
            _lock: lock,
        })
    }

    /// Makes a cell.
    pub fn create(&self, request: &CellRequest) -> Result<Cell> {
        self.create_ruled(request, None)
    }

    /// Makes a cell whose network has these rules instead of its own, to see whether the kernel takes them.
    pub(crate) fn create_ruled(&self, request: &CellRequest, rules: Option<Rules>) -> Result<Cell> {
        let (slot, ids) = self.shared.ids.give()?;
        let name = request.session.to_string();
        // From here on, whatever fails, dropping the place gives everything back.
        let mut place = Place {
            shared: self.shared.clone(),
            slot,
            directory: self.directory.join("cells").join(&name),
            socket: self.directory.join("sockets").join(&name),
            cgroup: None,
        };
        let owner = self.shared.ids.outer.host(ids.user);
        make_directories(&place.directory, owner)?;
        if let Some(homes) = &self.homes {
            homes.make(&place.directory.join("home"), owner)?;
        }
        let listener = listen(&place.socket)?;
        place.cgroup = self.shared.limiter.cell(&name, &request.limits)?;
        let cgroups = place.cgroups()?;

        let mut facts = Cow::Borrowed(&self.facts);
        if request.network.mode == Mode::Internet {
            facts.to_mut().addresses = own_addresses().step("ask for the host's addresses")?;
        }
        let mut plan = policy::cell_plan(request, ids, &facts, self.filters.clone());
        plan.rules = rules.or(plan.rules);
        let listener = OwnedFd::from(listener);
        let descriptors: Vec<_> = std::iter::once(&listener).chain(&cgroups).map(AsFd::as_fd).collect();
        let made = self.launcher.ask(&Request::Create(plan.encode()), &descriptors)?;
        let confinement = Confinement { ..plan.confinement };
        Ok(Cell::new(request, confinement, place, made, owner, self.facts.hard.memory))
    }

    /// Starts a program of the environment in a copy of the template, with nothing but this descriptor as number 3.
    pub fn exec(&self, argv: &[&str], env: &[String], control: OwnedFd) -> Result<Process> {
        let spawn = Spawn {
            argv: argv.iter().map(|&argument| argument.to_owned()).collect(),
            env: env.to_vec(),
            cwd: "/".to_owned(),
        };
        let made = self.launcher.ask(&Request::Exec(spawn), &[control.as_fd()])?;
        Ok(Process { pidfd: made.pidfd, pid: made.pid })
    }

    /// The launcher's process; a test ends it to see that another takes its place.
    pub fn launcher(&self) -> Option<OwnedFd> {
        self.launcher.pidfd()
    }

    /// Which limits the kernel holds for this node's cells.
    pub fn hard(&self) -> policy::Hard {
        self.facts.hard
    }

    /// Whether cells have ids of their own, apart from the daemon's user and from each other.
    pub fn own_ids(&self) -> bool {
        self.facts.drop_groups
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.homes = None;
        // Cells outlive their node: what they need stays. Without cells nothing is left.
        let cells = self.directory.join("cells");
        if fs::remove_dir(&cells).is_ok() {
            self.shared.limiter.remove();
            let _ = sys::remove::tree(&self.directory);
        }
    }
}

fn name(directory: &Path) -> String {
    directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A directory of its own for a new node, locked.
fn claim(nodes: &Path) -> Result<(PathBuf, Lock)> {
    loop {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let directory = nodes.join(format!("{}-{:x}", std::process::id(), now.as_nanos()));
        // Nobody else looks into a directory that begins with a dot, so it is locked before it is seen.
        let hidden = nodes.join(format!(".{}", name(&directory)));
        fs::create_dir(&hidden).at("create", &hidden)?;
        for (part, mode) in [("cells", 0o711), ("sockets", 0o700)] {
            let part = hidden.join(part);
            fs::create_dir(&part).at("create", &part)?;
            fs::set_permissions(&part, fs::Permissions::from_mode(mode)).at("open up", &part)?;
        }
        let lock = Lock::try_take(&hidden.join("lock")).at("lock", &hidden)?;
        let Some(lock) = lock else { continue };
        fs::rename(&hidden, &directory).at("create", &directory)?;
        return Ok((directory, lock));
    }
}

/// Removes what nodes left that died, but for what is to be kept: their cells have ended with their connection or end
/// now.
fn sweep(nodes: &Path, unsaved: &Path) {
    let Ok(entries) = fs::read_dir(nodes) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if name(&path).starts_with('.') {
            continue;
        }
        if let Ok(Some(lock)) = Lock::try_take(&path.join("lock")) {
            Limiter::sweep(&name(&path));
            if put_aside(&path.join("cells"), unsaved) {
                let _ = sys::remove::tree(&path);
            }
            drop(lock);
        }
    }
}

/// Whether everything that is to be kept below this directory is in safety.
fn put_aside(cells: &Path, unsaved: &Path) -> bool {
    let Ok(entries) = fs::read_dir(cells) else { return true };
    let put = |cell: fs::DirEntry| match unsaved::put_aside(&cell.path(), unsaved) {
        Ok(None) => true,
        Ok(Some(aside)) => {
            tracing::info!("the files of a session that was cut off are in `{}`", aside.display());
            true
        }
        Err(error) => {
            let because = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            tracing::error!("failed to {error}: {because}");
            false
        }
    };
    // One that cannot be put aside keeps none of the others from it.
    entries.flatten().map(put).filter(|safe| !safe).count() == 0
}

fn make_directories(directory: &Path, owner: u32) -> Result<()> {
    fs::create_dir(directory).at("create", directory)?;
    // The launcher must get through, and is not the owner.
    fs::set_permissions(directory, fs::Permissions::from_mode(0o711)).at("open up", directory)?;
    let workspace = directory.join("workspace");
    fs::create_dir(&workspace).at("create", &workspace)?;
    fs::set_permissions(&workspace, fs::Permissions::from_mode(0o700)).at("close", &workspace)?;
    let opened = fs::File::open(&workspace).at("open", &workspace)?;
    if sys::file::own_ids().0 != owner {
        sys::file::give(opened.as_fd(), owner, owner).at("give away", &workspace)?;
    }
    Ok(())
}

fn listen(socket: &Path) -> Result<UnixListener> {
    let bound = short(socket).and_then(|(_directory, path)| UnixListener::bind(path));
    bound.at("listen on", socket)
}

/// The same path through an open directory: a socket's name has room for 107 bytes, a data directory may be deeper.
pub(crate) fn short(socket: &Path) -> std::io::Result<(OwnedFd, PathBuf)> {
    use std::os::fd::AsRawFd;
    let directory = sys::file::directory(socket.parent().unwrap_or(Path::new("/")))?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
    Ok((directory, path.join(socket.file_name().unwrap_or_default())))
}
