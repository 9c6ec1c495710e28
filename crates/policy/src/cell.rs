//! The plan of one cell, from its limits and the host's facts.

use std::net::IpAddr;

use protocol::SessionId;

use crate::limits::{Limits, rlimits};
use crate::mount::Mount;
use crate::network::{Mode, Network, rules};
use crate::plan::{CellFile, CellIds, CellPath, CellPlan, Confinement};
use crate::template::{ENVIRONMENT, HOME, LAYER, RUNTIME};
use crate::{landlock, machine};

/// The user's id inside a cell.
pub const USER: u32 = 1000;
/// Init's id inside a cell, where the host gives it one of its own.
pub const INIT: u32 = 999;

/// What is asked of a new cell.
#[derive(Debug, Clone)]
pub struct CellRequest {
    /// Whose cell.
    pub session: SessionId,
    /// What it may use.
    pub limits: Limits,
    /// What it may reach.
    pub network: Network,
    /// Where it sees its workspace.
    pub mount: Mount,
    /// How long it lives without a daemon, ms; 0: it ends with its connection.
    pub linger_ms: u64,
}

/// What a node knows of its host when it plans a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Processors that the daemon may run on.
    pub processors: Vec<u32>,
    /// The host's /proc/cpuinfo.
    pub cpuinfo: String,
    /// When the host was started, in seconds since 1970: the ages of processes are counted from there.
    pub boot_time: u64,
    /// Whether the kernel holds each limit; where it does not, a soft one stands in.
    pub hard: Hard,
    /// Whether supplementary groups can be dropped.
    pub drop_groups: bool,
    /// The host's own addresses, as far as they are known: no cell is led to one.
    pub addresses: Vec<IpAddr>,
}

/// Which limits the kernel holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hard {
    /// Memory.
    pub memory: bool,
    /// Processor time.
    pub cpus: bool,
    /// The number of processes.
    pub processes: bool,
}

/// Where the names of a cell that has a way out are looked up: at a door. No time is lost on one that does not answer,
/// since it always does.
const RESOLVER: &str = "nameserver 127.0.0.1\noptions timeout:10 attempts:1 edns0\n";
const NAMES_WITH_DNS: &str =
    "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n";

/// The plan of a cell.
pub fn cell_plan(request: &CellRequest, ids: CellIds, node: &Node, filters: Vec<Vec<u8>>) -> CellPlan {
    let CellRequest { session, ref limits, ref network, ref mount, linger_ms } = *request;
    let confinement = Confinement {
        uid: USER,
        gid: USER,
        drop_groups: node.drop_groups,
        rlimits: rlimits(limits),
        processors: processors(limits, ids, node),
        landlock: Some(landlock::grants(mount)),
        filters,
    };
    CellPlan {
        session,
        hostname: "cell".to_owned(),
        ids,
        mount: mount.clone(),
        tmp_bytes: limits.in_memory(),
        files: machine::files(session, limits, node).into_iter().chain(names(network.mode)).collect(),
        masked: machine::MASKED.iter().map(|path| CellPath::fixed(path)).collect(),
        read_only: machine::READ_ONLY.iter().map(|path| CellPath::fixed(path)).collect(),
        rules: rules(network, &node.addresses),
        confinement,
        linger_ms,
        soft_memory: (!node.hard.memory).then_some(limits.memory),
    }
}

/// The processors a cell's processes may run on: as many as its limit where no cgroup holds it, and not the same
/// ones for every cell; all, where a cgroup does.
fn processors(limits: &Limits, ids: CellIds, node: &Node) -> Vec<u32> {
    let (want, have) = (limits.cpus as usize, node.processors.len());
    if node.hard.cpus || want >= have {
        return Vec::new();
    }
    let first = (ids.user as usize * want) % have;
    node.processors.iter().cycle().skip(first).take(want).copied().collect()
}

/// Files that say where names are looked up, where the cell has a way out.
fn names(mode: Mode) -> Vec<CellFile> {
    if mode == Mode::None {
        return Vec::new();
    }
    [("/etc/resolv.conf", RESOLVER), ("/etc/nsswitch.conf", NAMES_WITH_DNS)]
        .map(|(path, content)| CellFile { path: CellPath::fixed(path), content: content.into() })
        .into()
}

/// The environment variables of a cell's user, `NAME=value`.
pub fn variables(limits: &Limits) -> Vec<String> {
    let cpus = limits.cpus.max(1);
    let mut variables = vec![
        format!("PATH={LAYER}/bin:{RUNTIME}/bin:{ENVIRONMENT}/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
        format!("HOME={HOME}"),
        "USER=user".to_owned(),
        "LOGNAME=user".to_owned(),
        "SHELL=/bin/sh".to_owned(),
        "LANG=C.UTF-8".to_owned(),
        "LC_ALL=C.UTF-8".to_owned(),
        "TERM=dumb".to_owned(),
        // Deno asks for no terminal: errors of its workers have colours otherwise.
        "NO_COLOR=1".to_owned(),
        "TZ=UTC".to_owned(),
        "PYTHONUNBUFFERED=1".to_owned(),
        "PYTHONDONTWRITEBYTECODE=1".to_owned(),
        // Nobody is there to be told of new versions, or to be asked.
        "PIP_DISABLE_PIP_VERSION_CHECK=1".to_owned(),
        "PIP_NO_INPUT=1".to_owned(),
        "PIP_YES=1".to_owned(),
        "NPM_CONFIG_UPDATE_NOTIFIER=false".to_owned(),
        "NPM_CONFIG_FUND=false".to_owned(),
        "NPM_CONFIG_AUDIT=false".to_owned(),
        "NPM_CONFIG_YES=true".to_owned(),
        // Its two repetitions come after 10 and 60 s else: a cell without network would not answer for more than a minute.
        "NPM_CONFIG_FETCH_RETRY_MINTIMEOUT=1000".to_owned(),
        "NPM_CONFIG_FETCH_RETRY_MAXTIMEOUT=3000".to_owned(),
        "COREPACK_ENABLE_DOWNLOAD_PROMPT=0".to_owned(),
        "DENO_NO_UPDATE_CHECK=1".to_owned(),
        // `npm install -g` goes to the layer; `require` finds it there.
        format!("NPM_CONFIG_PREFIX={LAYER}"),
        format!("NODE_PATH={LAYER}/lib/node_modules"),
        // A thread that this library starts by itself would keep a forked kernel from joining namespaces.
        "JE_ARROW_MALLOC_CONF=background_thread:false".to_owned(),
        format!("VIRTUAL_ENV={LAYER}"),
        format!("MPLCONFIGDIR={HOME}/.config/matplotlib"),
    ];
    for name in [
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "NUMEXPR_MAX_THREADS",
        "UV_THREADPOOL_SIZE",
    ] {
        variables.push(format!("{name}={cpus}"));
    }
    variables
}

#[cfg(test)]
mod tests {
    use protocol::codec::CodecError;

    use super::*;

    fn node(hard: bool) -> Node {
        Node {
            processors: vec![0, 1, 2, 3],
            boot_time: 1_700_000_000,
            cpuinfo: "processor: 0\nflags: a\n\nprocessor: 1\nflags: a\n\nprocessor: 2\n\n".to_owned(),
            hard: Hard { memory: hard, cpus: hard, processes: hard },
            drop_groups: hard,
            addresses: Vec::new(),
        }
    }

    fn plan(hard: bool) -> CellPlan {
        let ids = CellIds { user: 3, init: 4 };
        let request = CellRequest {
            session: SessionId::from_u128(7),
            limits: Limits::default(),
            network: Network { mode: Mode::Internet, ..Network::default() },
            mount: Mount::new("/mnt/data").unwrap(),
            linger_ms: 0,
        };
        cell_plan(&request, ids, &node(hard), vec![vec![1; 8]])
    }

    #[test]
    fn reads_back() {
        for hard in [true, false] {
            assert_eq!(CellPlan::decode(&plan(hard).encode()), Ok(plan(hard)));
        }
    }

    #[test]
    fn a_plan_without_a_filter_is_none() {
        let mut plan = plan(true);
        plan.confinement.filters.clear();
        assert!(CellPlan::decode(&plan.encode()).is_err());
        let mut open = self::plan(true);
        open.confinement.landlock = None;
        assert!(CellPlan::decode(&open.encode()).is_err());
        assert!(Confinement::decode(&plan.confinement.encode()).is_err());
    }

    #[test]
    fn a_plan_with_the_workspace_elsewhere_than_in_mnt_is_none() {
        let good = plan(true).encode();
        let at = good.windows(9).position(|bytes| bytes == b"/mnt/data").unwrap();
        for place in [b"/etc/data", b"/mnt/../x", b"/mnt/a/bc", b"/mnt/a\0bc"] {
            let mut bad = good.clone();
            bad[at..at + 9].copy_from_slice(place);
            assert_eq!(CellPlan::decode(&bad), Err(CodecError::Value("the workspace's place")), "{place:?}");
        }
    }

    #[test]
    fn the_rules_about_paths_follow_the_workspace() {
        let grants = plan(true).confinement.landlock.unwrap();
        let of = |path: &str| grants.iter().filter(|grant| grant.path.as_str() == path).count();
        assert_eq!((of("/mnt/data"), of("/mnt/workspace"), of("/mnt")), (1, 0, 0));
    }

    #[test]
    fn soft_limits_stand_in_for_hard_ones() {
        assert_eq!((plan(true).soft_memory, plan(true).confinement.processors), (None, vec![]));
        assert_eq!(
            (plan(false).soft_memory, plan(false).confinement.processors),
            (Some(4 << 30), vec![2, 3])
        );
    }
}
