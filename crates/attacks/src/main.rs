//! Runs an attack's program behind one layer of the wall, or behind none:
//! `walls-apart LAYER|none GROUND self|nobody ENVIRONMENT SCRATCH PROGRAM FACTS`.
//!
//! It is also the decoy that runs with another's privilege: `walls-apart reveal FILE` prints a file.

use std::fs;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use attacks::layers::{self, Layer};
use attacks::{PYTHON, limits, request, session};
use cell::cgroup::{self, CellGroup, CgroupLimits, Controller, Parent};
use launcher::apart::{Apart, MARK};
use policy::{CellIds, CellPath, CellPlan, ENVIRONMENT, HOME, Hard, HostPath, Roots, Template, WORKSPACE};
use sys::namespace::{self, Forked, Kind};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["reveal", file] => fs::read(file).and_then(|content| io::stdout().write_all(&content)),
        [layer, ground, user, environment, scratch, program, facts] => {
            let place = Place { environment, scratch };
            run(layers::by_name(layer), ground, user == "nobody", &place, [program, facts])
        }
        _ => Err(io::Error::other("seven arguments, or `reveal` and a file")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{MARK}: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Place<'a> {
    environment: &'a str,
    scratch: &'a str,
}

fn run(
    layer: Option<Layer>,
    ground: &str,
    nobody: bool,
    place: &Place,
    program: [&str; 2],
) -> io::Result<()> {
    let is_root = sys::file::own_ids().0 == 0;
    let spare = attacks::nobody();
    match ground {
        "namespace" => become_root()?,
        "processes" => {
            become_root()?;
            if let Forked::Parent { pidfd, .. } = namespace::fork_into(&[Kind::Pid])? {
                sys::outer::reap(&pidfd);
                return Ok(());
            }
        }
        // The outer one, in which a cell makes its own; root may map any id without.
        "own" if layer == Some(Layer::User) && !is_root => become_root()?,
        "locked" => sys::privilege::no_new_privileges()?,
        _ => {}
    }
    let mut plan = plan(is_root.then_some(spare));
    let own = format!("{}/cells/{}/workspace", place.scratch, session());
    if layer == Some(Layer::Landlock) && !rename(&mut plan, place, &own) {
        println!("SKIP: this kernel has no Landlock");
        return Ok(());
    }
    let template = template(place);
    let group = match layer {
        Some(Layer::Cgroup) => match group() {
            Ok(group) => Some(group),
            Err(cgroup::Error::Unsupported) => {
                println!("SKIP: no cgroup can be made here");
                return Ok(());
            }
            Err(error) => return Err(io::Error::other(error)),
        },
        _ => None,
    };
    let cgroups = group.as_ref().map_or(Ok(Vec::new()), |(_, group)| group.join_fds());

    let (root, workspace) = match layer {
        Some(Layer::Root) => (ENVIRONMENT, WORKSPACE),
        _ => (place.environment, own.as_str()),
    };
    let mut command = Command::new(Path::new(root).join(PYTHON));
    command.args(["-I", "-S", "-c"]).args(program).current_dir(workspace);
    command.env_clear().env("PATH", "/usr/bin:/bin");
    if nobody && is_root && layer != Some(Layer::User) {
        command.uid(spare).gid(spare);
    }
    let apart =
        Apart { layer, plan: &plan, template: &template, cgroups: &cgroups.map_err(io::Error::other)? };
    let ran = apart.run(&mut command).map_err(|failure| {
        let error = io::Error::from_raw_os_error(failure.errno);
        io::Error::other(format!("failed to {}: {error}", failure.step))
    });
    if let Some((parent, group)) = group {
        group.kill_all().and_then(|()| group.remove()).map_err(io::Error::other)?;
        parent.remove().map_err(io::Error::other)?;
    }
    ran
}

/// Root of a user namespace, which is as much as an ordinary user can be.
fn become_root() -> io::Result<()> {
    let (uid, gid) = sys::file::own_ids();
    namespace::unshare_user()?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1\n"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1\n"))
}

/// The plan of a cell, as a node makes it; without an id of its own it has that of whoever made the outer namespace.
fn plan(own: Option<u32>) -> CellPlan {
    let id = own.unwrap_or(0);
    let node = policy::Node {
        processors: Vec::new(),
        cpuinfo: String::new(),
        boot_time: 0,
        addresses: Vec::new(),
        hard: Hard { memory: true, cpus: true, processes: true },
        drop_groups: own.is_some(),
    };
    let filters = policy::seccomp::programs().iter().map(policy::seccomp::Program::encode).collect();
    policy::cell_plan(&request(), CellIds { user: id, init: id }, &node, filters)
}

/// Has the rules about paths name what has another name where a cell's root is not: the environment, and the cell's
/// own places. Without a cell's root, /tmp is everybody's. Says whether the kernel knows
/// such rules.
fn rename(plan: &mut CellPlan, place: &Place, workspace: &str) -> bool {
    for grant in plan.confinement.landlock.iter_mut().flatten() {
        let named = match grant.path.as_str() {
            "/opt/cellblock" => place.environment,
            WORKSPACE | HOME | "/tmp" | "/var/tmp" => workspace,
            _ => continue,
        };
        grant.path = CellPath::new(named).expect("it is absolute and plain");
    }
    sys::landlock::abi().is_some()
}

/// The root that a node makes.
fn template(place: &Place) -> Template {
    let roots = Roots {
        environment: HostPath(place.environment.to_owned()),
        runtime: HostPath("/usr/lib".to_owned()),
        cells: HostPath(format!("{}/cells", place.scratch)),
    };
    policy::template(&cell::facts(), &roots)
}

/// The cgroup of a cell, where the host gives all that a cell has.
fn group() -> Result<(Parent, CellGroup), cgroup::Error> {
    let support = cgroup::discover(Path::new("/"))?;
    if ![Controller::Memory, Controller::Pids].iter().all(|controller| support.holds(*controller)) {
        return Err(cgroup::Error::Unsupported);
    }
    let parent = Parent::create(&support, &format!("attacks-{}", std::process::id()), None)?;
    let limits = limits();
    let limits = CgroupLimits {
        memory_bytes: limits.memory,
        cpus: f64::from(limits.cpus),
        processes: limits.processes,
    };
    parent.create_cell("attacker", &limits).map(|group| (parent, group))
}
