//! `[security] require`: walls without which nothing is started.
//!
//! A wall that something weaker stands in for does not hold; what is required and not known here is refused, since
//! whoever wrote it relies on it.

use std::fmt::Write as _;

use cell::{Layer, State};
use session::network::Mode;

use crate::config::Config;
use crate::doctor;
use crate::hints::Hint;
use crate::network::{self, Use};

/// What can be required, and which layers of `cellblock doctor` that is.
const WALLS: &[(&str, &[&str])] = &[
    ("user-namespaces", &["namespaces"]),
    ("uids", &["ids"]),
    ("root", &["root"]),
    ("seccomp", &["seccomp"]),
    ("landlock", &["landlock"]),
    ("cgroup", &["memory", "cpu", "processes"]),
    ("disk-quota", &["disk"]),
    ("network", &["network", "modes"]),
];

/// Whether this is the name of a wall.
pub(crate) fn is_wall(name: &str) -> Result<(), String> {
    if WALLS.iter().any(|(wall, _)| *wall == name) {
        return Ok(());
    }
    let all: Vec<&str> = WALLS.iter().map(|(wall, _)| *wall).collect();
    Err(format!("it is one of {}", all.join(", ")))
}

/// Tries the walls that the configuration requires, and a server's network mode; fails if one is not to be had. Others
/// than a server's hear of that when they open their session.
pub(crate) fn check(config: &Config, user: Use) -> anyhow::Result<()> {
    let required = config.list("security.require");
    let mode = network::of(config).mode;
    let served = mode != Mode::None && user == Use::Server;
    if required.is_empty() && !served {
        return Ok(());
    }
    let mut found = doctor::tried()?;
    if let Some(modes) = &found.modes
        && served
    {
        has(mode, &config.origin("network.mode"), modes)?;
    }
    // Who wants a network and a wall around it wants both.
    if mode != Mode::None {
        found.layers.extend(found.modes);
    }
    hold(required, &config.origin("security.require"), &found.layers)
}

fn has(mode: Mode, origin: &str, modes: &Layer) -> anyhow::Result<()> {
    if modes.state == State::Hard {
        return Ok(());
    }
    let what = format!("give sessions the network mode {mode} ({origin}); this machine has {}", modes.detail);
    Err(Hint::new(what, modes.remedy.clone()).into())
}

fn hold(required: &[String], origin: &str, layers: &[Layer]) -> anyhow::Result<()> {
    let (mut lacking, mut remedies) = (String::new(), Vec::new());
    // Where no cell can be made, nothing else was tried.
    let broken = layers.iter().find(|layer| layer.state == State::Missing && layers.len() == 1);
    for name in required {
        let parts = WALLS.iter().find(|(wall, _)| wall == name).map_or(&[][..], |(_, parts)| parts);
        for part in parts {
            let Some(layer) = broken.or_else(|| layers.iter().find(|layer| layer.name == *part)) else {
                // Modes are tried where one is wanted.
                if *part == "modes" {
                    continue;
                }
                let _ = write!(lacking, "\n  {name}: this version has no such wall");
                continue;
            };
            let how = match layer.state {
                State::Hard => continue,
                State::Soft if layer.name == name => "soft".to_owned(),
                State::Soft => format!("{} is soft", layer.name),
                State::Missing if layer.name == name => "missing".to_owned(),
                State::Missing => format!("{} is missing", layer.name),
            };
            let _ = write!(lacking, "\n  {name}: {how}: {}", layer.detail);
            if !layer.remedy.is_empty() && !remedies.contains(&layer.remedy) {
                remedies.push(layer.remedy.clone());
            }
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    let what = format!("start with what `security.require` ({origin}) names:{lacking}");
    let remedy = if remedies.is_empty() {
        "`cellblock doctor` tells which walls stand here".to_owned()
    } else {
        remedies.join("; ")
    };
    Err(Hint::new(what, remedy).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(name: &'static str, state: State) -> Layer {
        let (detail, remedy) = (format!("why {name}"), format!("mend {name}"));
        Layer { name, state, detail, consequence: String::new(), remedy }
    }

    fn told(required: &[&str], layers: &[Layer]) -> Result<(), String> {
        let required: Vec<String> = required.iter().map(|&name| name.to_owned()).collect();
        hold(&required, "here", layers).map_err(|error| {
            format!("{}\nhint: {}", crate::printer::failed(&error), crate::hints::of(&error).unwrap())
        })
    }

    #[test]
    fn a_wall_that_is_hard_holds_and_no_other_does() {
        let layers = [
            layer("seccomp", State::Hard),
            layer("memory", State::Hard),
            layer("cpu", State::Soft),
            layer("processes", State::Soft),
            layer("disk", State::Soft),
        ];
        assert_eq!(told(&["seccomp"], &layers), Ok(()));
        assert_eq!(
            told(&["seccomp", "cgroup", "landlock"], &layers).unwrap_err(),
            "failed to start with what `security.require` (here) names:\n  \
             cgroup: cpu is soft: why cpu\n  \
             cgroup: processes is soft: why processes\n  \
             landlock: this version has no such wall\n\
             hint: mend cpu; mend processes"
        );
        assert_eq!(told(&["network"], &[layer("network", State::Hard)]), Ok(()));
        let modes = [layer("network", State::Hard), layer("modes", State::Missing)];
        assert!(told(&["network"], &modes).unwrap_err().contains("network: modes is missing: why modes"));
        assert!(told(&["disk-quota"], &layers).unwrap_err().contains("disk-quota: disk is soft: why disk"));
    }

    #[test]
    fn a_mode_that_is_not_to_be_had_is_told() {
        assert!(has(Mode::Allow, "--allow", &layer("modes", State::Hard)).is_ok());
        let error = has(Mode::Internet, "--network", &layer("modes", State::Missing)).unwrap_err();
        let told =
            "failed to give sessions the network mode internet (--network); this machine has why modes";
        assert_eq!(crate::printer::failed(&error), told);
        assert_eq!(crate::hints::of(&error).as_deref(), Some("mend modes"));
    }

    #[test]
    fn where_no_cell_can_be_made_nothing_holds() {
        let layers = [layer("namespaces", State::Missing)];
        let told = told(&["seccomp"], &layers).unwrap_err();
        assert!(told.contains("seccomp: namespaces is missing: why namespaces"), "{told}");
    }

    #[test]
    fn what_is_no_wall_is_refused_with_the_list() {
        assert_eq!(is_wall("cgroup"), Ok(()));
        let why = is_wall("cgroups").unwrap_err();
        assert!(why.ends_with("root, seccomp, landlock, cgroup, disk-quota, network"), "{why}");
    }
}
