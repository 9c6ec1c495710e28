//! `cellblock doctor`: which walls stand here, and whether there is what a run needs.

use std::io::Write;

use anyhow::Context;
use cell::{Found, Layer, State};
use environment::{Environments, Recipe};
use serde::Serialize;

use crate::cli::Doctor;
use crate::config::{self, Config};
use crate::place::{Places, told, try_writing};
use crate::printer::{bytes, wrapped};

/// Less room than this is little: the environment takes about half of it.
const ROOM: u64 = 3 << 30;

/// Tells which layers hold here, and what else there is. 0 if a program can be run, else 1.
pub(crate) fn doctor(options: &Doctor, places: &Places) -> anyhow::Result<u8> {
    let found = tried()?;
    let walls: Vec<Told> = found.layers.iter().map(Told::from).collect();
    let mut needs = network(found.modes.as_ref());
    needs.extend(self::needs(places));
    let text = if options.json {
        let all: Vec<&Told> = walls.iter().chain(&needs).collect();
        serde_json::to_string_pretty(&all)? + "\n"
    } else {
        table(&walls, &needs)
    };
    std::io::stdout().write_all(text.as_bytes()).context("write to standard output")?;
    Ok(u8::from(walls.iter().chain(&needs).any(|told| told.state == "missing")))
}

/// Tries the layers in a directory that is gone afterwards.
pub(crate) fn tried() -> anyhow::Result<Found> {
    // Cells of an ordinary user are made below any directory that the launcher may enter.
    let scratch = std::env::temp_dir().join(format!("cellblock-tried-{}", std::process::id()));
    std::fs::create_dir(&scratch).with_context(|| format!("make `{}`", scratch.display()))?;
    let found = cell::examine(&scratch);
    let _ = std::fs::remove_dir_all(&scratch);
    Ok(found)
}

/// A line of the report.
#[derive(Debug, Clone, Serialize)]
struct Told {
    layer: &'static str,
    state: &'static str,
    detail: String,
    consequence: String,
    remedy: String,
}

impl Told {
    fn new(layer: &'static str, state: &'static str, words: [&str; 3]) -> Told {
        let [detail, consequence, remedy] = words.map(str::to_owned);
        Told { layer, state, detail, consequence, remedy }
    }
}

impl From<&Layer> for Told {
    fn from(layer: &Layer) -> Told {
        let state = match layer.state {
            State::Hard => "hard",
            State::Soft => "soft",
            State::Missing => "missing",
        };
        Told::new(layer.name, state, [&layer.detail, &layer.consequence, &layer.remedy])
    }
}

/// What sessions with a network need.
fn network(modes: Option<&Layer>) -> Vec<Told> {
    let Some(modes) = modes else { return Vec::new() };
    let state = if modes.state == State::Hard { "ready" } else { "absent" };
    let modes = Told::new(modes.name, state, [&modes.detail, &modes.consequence, &modes.remedy]);
    vec![modes, resolver()]
}

/// Who is asked for names. Nobody is asked here: that would tell somebody.
fn resolver() -> Told {
    const KEY: &str = "network.resolver";
    let told = |detail: &str| Told::new("resolver", "ready", [detail, "", ""]);
    let absent = |detail: &str| {
        let consequence = "no name is found in the modes allow and internet";
        Told::new(
            "resolver",
            "absent",
            [detail, consequence, "name one: `CELLBLOCK_NETWORK_RESOLVER=IP:port`"],
        )
    };
    let variable = |name: &str| std::env::var(name).ok().filter(|_| name == config::variable(KEY));
    match Config::load(None, variable, &[]) {
        Err(error) => absent(&format!("failed to {error}")),
        Ok(config) => match config.text(KEY) {
            Some(server) => told(&format!("{server} ({}; not asked)", config.origin(KEY))),
            None => told(&format!("{} (/etc/resolv.conf; not asked)", servers().join(", "))),
        },
    }
}

/// The host's servers: without any, as every resolver has it, the host itself.
fn servers() -> Vec<String> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let named =
        text.lines().filter_map(|line| line.trim().strip_prefix("nameserver")?.split_whitespace().next());
    let mut servers: Vec<String> = named.take(3).map(str::to_owned).collect();
    if servers.is_empty() {
        servers.push("127.0.0.1".to_owned());
    }
    servers
}

/// What a run needs beside walls.
fn needs(places: &Places) -> Vec<Told> {
    let data = match try_writing(&places.data) {
        Err(error) => Told::new(
            "data",
            "missing",
            [
                &format!("`{}` cannot be written: {error}", told(&places.data)),
                "nothing can be run",
                "name another directory with `--data DIR`",
            ],
        ),
        Ok(nearest) => {
            let free = sys::space::free(&nearest).unwrap_or(u64::MAX);
            let detail = format!("`{}`, {} free", told(&places.data), bytes(free));
            if free < ROOM {
                let consequence = "an environment, or what programs write, may not fit";
                Told::new(
                    "data",
                    "low",
                    [&detail, consequence, "free some space, or name another with `--data DIR`"],
                )
            } else {
                Told::new("data", "ready", [&detail, "", ""])
            }
        }
    };
    let installed: Vec<String> = Environments::new(&places.environments)
        .list()
        .into_iter()
        .flatten()
        .filter(|status| status.installed.is_some())
        .map(|status| status.recipe.name.to_owned())
        .collect();
    let environments = if installed.is_empty() {
        let consequence = "the first run installs one, which takes a minute and needs the network";
        Told::new(
            "environments",
            "absent",
            ["none is installed", consequence, "`cellblock env install lean`"],
        )
    } else {
        Told::new("environments", "ready", [&installed.join(", "), "", ""])
    };
    let needed = installed.is_empty();
    let python = match environment::base_python() {
        Ok((path, version)) => {
            Told::new("python", "ready", [&format!("{version}, `{}`", path.display()), "", ""])
        }
        Err(error) => Told::new(
            "python",
            if needed { "missing" } else { "absent" },
            [
                &format!("failed to {error}"),
                "no environment can be installed",
                &error.hint().unwrap_or_default(),
            ],
        ),
    };
    let uv = match environment::uv_on_path() {
        Some(path) => Told::new("uv", "ready", [&format!("`{}`", path.display()), "", ""]),
        None => Told::new(
            "uv",
            "absent",
            [
                "none on the `PATH` that is new enough",
                "an install fetches one by pip, or from the package index that is configured",
                "install uv",
            ],
        ),
    };
    let mut needs = vec![data, environments, python, uv];
    needs.extend(Environments::known().iter().filter_map(software));
    needs
}

/// What an environment's libraries want of this machine.
fn software(recipe: &Recipe) -> Option<Told> {
    let (here, missing): (Vec<_>, Vec<_>) = recipe.wants.iter().partition(|want| want.is_here());
    if recipe.wants.is_empty() {
        return None;
    }
    let detail = format!("{} of {} things that its libraries want are here", here.len(), recipe.wants.len());
    if missing.is_empty() {
        return Some(Told::new(recipe.name, "ready", [&detail, "", ""]));
    }
    let lacking: Vec<&str> = missing.iter().flat_map(|want| want.libraries.iter().copied()).collect();
    let debian: Vec<&str> = missing.iter().map(|want| want.debian).collect();
    let fedora: Vec<&str> = missing.iter().map(|want| want.fedora).collect();
    let consequence = format!(
        "{} do less, or nothing; `cellblock env show {}` tells what each wants",
        lacking.join(", "),
        recipe.name
    );
    let remedy = format!("`apt install {}` (`dnf install {}`)", debian.join(" "), fedora.join(" "));
    Some(Told::new(recipe.name, "partly", [&detail, &consequence, &remedy]))
}

/// A line per layer, and what there is to say about one that is not as it should be below it.
fn table(walls: &[Told], needs: &[Told]) -> String {
    let name = walls.iter().chain(needs).map(|told| told.layer.len()).max().unwrap_or(0);
    let lines = |all: &[Told]| {
        let mut text = String::new();
        for each in all {
            let first = format!("{:name$}  {:7}  ", each.layer, each.state);
            let indent = " ".repeat(first.len());
            text.push_str(&wrapped(&first, &indent, &each.detail));
            for (what, words) in [("so: ", &each.consequence), ("remedy: ", &each.remedy)] {
                if !words.is_empty() {
                    text.push_str(&wrapped(&indent, &indent, &format!("{what}{words}")));
                }
            }
        }
        text
    };
    let count = |state| walls.iter().filter(|told| told.state == state).count();
    let (hard, soft, missing) = (count("hard"), count("soft"), count("missing"));
    let summary = match missing {
        0 => format!("Cells can be made here; of their walls {hard} are hard, {soft} soft."),
        _ => "No cell can be made here.".to_owned(),
    };
    format!("{}\n{}\n{summary}\n", lines(walls), lines(needs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_hold_is_told_with_its_consequence_and_remedy() {
        let walls = [
            Told::new("namespaces", "hard", ["its own", "", ""]),
            Told::new(
                "memory",
                "soft",
                [
                    "no cgroup is delegated",
                    "init watches",
                    "start it as a systemd service that has Delegate=yes, or as root",
                ],
            ),
        ];
        let needs = [Told::new("data", "ready", ["`/data`, 5.0 GiB free", "", ""])];
        insta::assert_snapshot!(table(&walls, &needs), @r"
        namespaces  hard     its own
        memory      soft     no cgroup is delegated
                             so: init watches
                             remedy: start it as a systemd service that has
                             Delegate=yes, or as root

        data        ready    `/data`, 5.0 GiB free

        Cells can be made here; of their walls 1 are hard, 1 soft.
        ");
    }

    #[test]
    fn a_machine_without_cells_is_told_plainly() {
        let walls = [Told::new("namespaces", "missing", ["refused", "no cell can be made here", ""])];
        assert!(table(&walls, &[]).ends_with("\nNo cell can be made here.\n"));
    }

    #[test]
    fn a_data_directory_that_cannot_be_written_is_told() {
        let places = Places { data: "/proc/nope".into(), environments: "/proc/nope/environments".into() };
        let needs = needs(&places);
        assert_eq!((needs[0].layer, needs[0].state), ("data", "missing"));
        assert_eq!((needs[1].layer, needs[1].state), ("environments", "absent"));
    }
}
