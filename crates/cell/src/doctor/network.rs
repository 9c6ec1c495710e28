//! Which network modes this machine has: a cell of each is made, with the rules that it would have.

use std::io;

use policy::network::{Door, Mode, Network, Rule, Rules, Then, When};

use super::{Layer, State};
use crate::{CellRequest, Error, Node, Result};

/// A part of the kernel's packet filter beside its core, its module, and a rule that needs it.
struct Part {
    what: &'static str,
    module: &'static str,
    when: Option<When>,
    then: Then,
}

const PARTS: &[Part] = &[
    Part { what: "redirection", module: "nft_redir", when: Some(When::Tcp), then: Then::Lead(Door::Streams) },
    Part { what: "connection tracking", module: "nft_ct", when: Some(When::Known), then: Then::Accept },
    Part { what: "limits", module: "nft_limit", when: Some(When::Within { rate: 1 }), then: Then::Accept },
    Part { what: "logging", module: "nft_log", when: None, then: Then::Log },
];

/// The fewest rules that a launcher takes: what is not let out is rejected.
fn core() -> Rules {
    Rules { guard: vec![Rule { when: Vec::new(), then: Then::Unreachable }], ..Rules::default() }
}

impl Part {
    fn rules(&self) -> Rules {
        let mut rules = core();
        let chain = if matches!(self.then, Then::Lead(_)) { &mut rules.lead } else { &mut rules.guard };
        chain.insert(0, Rule { when: self.when.into_iter().collect(), then: self.then });
        rules
    }
}

/// Tries all modes.
pub(super) fn modes(node: &Node, request: &CellRequest) -> Layer {
    let cell_of = |mode| {
        let network = Network { mode, ..Network::default() };
        let mut cell = node.create(&CellRequest { network, ..request.clone() })?;
        let families = cell.take_doors().map_or(0, |doors| doors.lookups.len());
        cell.destroy()?;
        Ok(families)
    };
    let tried: Result<usize> = cell_of(Mode::Allow).and_then(|_| cell_of(Mode::Internet));
    match tried {
        Ok(2) => Layer::hard("modes", "none, allow and internet, over IPv4 and IPv6"),
        Ok(_) => Layer::hard("modes", "none, allow and internet, over IPv4; the host has no IPv6"),
        Err(error) => none_alone(&error, |rules| {
            node.create_ruled(request, Some(rules.clone())).and_then(crate::Cell::destroy).is_ok()
        }),
    }
}

/// Why no mode but `none` can be had; `works` tries a cell with these rules.
fn none_alone(error: &Error, works: impl Fn(&Rules) -> bool) -> Layer {
    let (step, source) = super::told(error);
    let kind = source.map(io::Error::kind);
    let because = source.map(|source| format!(": {source}")).unwrap_or_default();
    let filter = step.contains("packet filter");
    let (why, remedy) = if filter && kind == Some(io::ErrorKind::PermissionDenied) {
        let remedy = "something (AppArmor, SELinux, a container's filter) keeps user namespaces from it: make an \
                      exception for cellblock";
        (format!("root of a user namespace may not administer its own network{because}"), remedy.to_owned())
    } else if step == "listen to the packet filter" {
        (format!("the kernel has no netlink log{because}"), load(&["nfnetlink_log"]))
    } else if filter && !works(&core()) {
        let modules = ["nf_tables", "nft_chain_nat", "nft_reject_inet"];
        (format!("the kernel has no nf_tables, or none that rejects{because}"), load(&modules))
    } else if filter {
        let lacking = PARTS.iter().filter(|part| !works(&part.rules()));
        let (what, modules): (Vec<&str>, Vec<&str>) = lacking.map(|part| (part.what, part.module)).unzip();
        if modules.is_empty() {
            (format!("failed to {error}{because}"), String::new())
        } else {
            (format!("the kernel's nf_tables has no {}", what.join(", no ")), load(&modules))
        }
    } else {
        (format!("failed to {error}{because}"), String::new())
    };
    Layer::less(
        "modes",
        State::Missing,
        format!("none alone: {why}"),
        "no session with the network mode allow or internet can be opened",
        remedy,
    )
}

fn load(modules: &[&str]) -> String {
    format!(
        "`sudo modprobe -a {}` on the host; where there is no such module, a kernel that has it",
        modules.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(step: &str, kind: io::ErrorKind) -> Error {
        Error::Launcher { step: step.to_owned(), source: kind.into() }
    }

    #[test]
    fn what_the_packet_filter_lacks_is_named() {
        let error = failed("install the packet filter", io::ErrorKind::NotFound);
        let lead = Then::Lead(Door::Streams);
        let layer = none_alone(&error, |rules| {
            let all = rules.lead.iter().chain(&rules.guard);
            !all.into_iter().any(|rule| [lead, Then::Log].contains(&rule.then))
        });
        assert_eq!(layer.state, State::Missing);
        assert_eq!(layer.detail, "none alone: the kernel's nf_tables has no redirection, no logging");
        assert!(layer.remedy.contains("`sudo modprobe -a nft_redir nft_log`"), "{}", layer.remedy);
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        for (step, kind, why, remedy) in [
            ("install the packet filter", io::ErrorKind::InvalidInput, "no nf_tables", "nft_chain_nat"),
            ("listen to the packet filter", io::ErrorKind::Unsupported, "no netlink log", "nfnetlink_log"),
            (
                "listen to the packet filter",
                io::ErrorKind::PermissionDenied,
                "may not administer",
                "AppArmor",
            ),
            ("keep packets in the cell", io::ErrorKind::Other, "keep packets in the cell", ""),
        ] {
            let layer = none_alone(&failed(step, kind), |_| false);
            assert!(layer.detail.contains(why) && layer.remedy.contains(remedy), "{step}: {layer:?}");
        }
    }

    #[test]
    fn no_part_is_blamed_where_all_are_here() {
        let scratch = tempfile::tempdir().unwrap();
        let (options, request) = crate::doctor::trial(scratch.path());
        let node = Node::start(&options).unwrap();
        if modes(&node, &request).state != State::Hard {
            eprintln!("SKIPPED: this machine has no network mode but none");
            return;
        }
        let error = failed("install the packet filter", io::ErrorKind::NotFound);
        let layer = none_alone(&error, |rules| {
            node.create_ruled(&request, Some(rules.clone())).and_then(crate::Cell::destroy).is_ok()
        });
        assert!(layer.detail.starts_with("none alone: failed to install the packet filter"), "{layer:?}");
        drop(node);
        assert_eq!(std::fs::read_dir(scratch.path().join("nodes")).unwrap().count(), 0);
    }
}
