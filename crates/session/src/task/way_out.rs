//! A session's way out: opened with its cell, asked for what it refused, closed before the cell is.

use std::sync::Arc;

use cell::Cell;
use egress::{Audit, Doors, Egress, Machine, Mark};
use policy::network::Mode;

use super::Task;
use super::record::Record;
use crate::error::{Error, Result};

/// What is known of a call and the network.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// When it began, as its session's way out counts.
    pub(crate) mark: Option<Mark>,
    /// Whether it printed that something was not to be had for want of a network.
    pub(crate) missed: bool,
}

/// What a call is told that missed the network.
const NO_NETWORK: &str = "this session has no network: nothing can be looked up, fetched or installed from elsewhere, \
                          and nothing in the session can change that";
/// In so many bytes of what a call prints it is looked for.
pub(super) const LOOKED_AT: u64 = 64 << 10;
/// What programs say who miss it: the C library and what is built on it, curl and git, Node, pip.
const SAID: &[&str] = &[
    "Name or service not known",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "Could not resolve host",
    "getaddrinfo ENOTFOUND",
    "getaddrinfo EAI_AGAIN",
    "connect ENETUNREACH",
    // pip, when it was told not to try again: it says no more than that.
    "No matching distribution found for",
];

/// Whether this says that something was not to be had for want of a network.
pub(super) fn misses_network(text: &[u8]) -> bool {
    SAID.iter().any(|said| text.windows(said.len()).any(|at| at == said.as_bytes()))
}

/// No call is told more than this of what it did not get.
const TOLD: usize = 5;

impl Task {
    /// Opens it, where the session has one.
    pub(super) fn open_way_out(&mut self, cell: &mut Cell) -> Result<()> {
        let Some(doors) = cell.take_doors() else { return Ok(()) };
        let doors = Doors { streams: doors.streams, lookups: doors.lookups, refusals: Some(doors.refusals) };
        let (session, principal) = (self.session, self.principal.clone());
        let options = egress::Options {
            resolver: self.engine.resolver.clone(),
            room: self.engine.connections.clone(),
            host: Arc::new(Machine),
            audit: Arc::new(move |line: &Audit| {
                tracing::info!(
                    target: "audit",
                    session = %session,
                    principal = principal.as_str(),
                    name = line.name.as_deref(),
                    address = line.address.map(tracing::field::display),
                    bytes_out = line.bytes_out,
                    bytes_in = line.bytes_in,
                    ms = line.milliseconds,
                    "audit: connection {}",
                    line.verdict
                );
            }),
        };
        let egress = Egress::open(doors, self.options.network.clone(), options).map_err(Error::WayOut)?;
        self.way_out = Some(egress);
        Ok(())
    }

    /// Now, for [`Task::not_reached`].
    pub(super) fn network_mark(&self) -> Option<Mark> {
        self.way_out.as_ref().map(Egress::mark)
    }

    /// What the cell wanted of the network since a call began and did not get, in sentences. Where there is none, nobody
    /// but the call itself knows that it wanted it.
    pub(super) fn not_reached(&self, record: &Record) -> Vec<String> {
        if self.options.network.mode == Mode::None {
            let raised = record.done.as_ref().and_then(|done| done.traceback.clone());
            let raised = raised.is_some_and(|raised| misses_network(raised.text().as_bytes()));
            let missed = record.network.missed || raised;
            return missed.then(|| NO_NETWORK.to_owned()).into_iter().collect();
        }
        let (Some(egress), Some(mark)) = (&self.way_out, record.network.mark) else { return Vec::new() };
        let happenings = egress.since(mark);
        let (all, mut told) = (happenings.len(), Vec::new());
        // The one that would be hidden takes no more room than the word that it is.
        let shown = if all > TOLD + 1 { TOLD } else { all };
        // The last ones: they are nearest to what the code died of.
        told.extend(happenings.into_iter().skip(all - shown).map(|happening| happening.sentence));
        if all > shown {
            told.push(format!("{} more names or addresses were not reached", all - shown));
        }
        told
    }

    /// Closes it: every connection is reset. What it did is told once.
    pub(super) fn close_way_out(&mut self) {
        let Some(egress) = self.way_out.take() else { return };
        let report = egress.report();
        let refused: u64 = report.refused.iter().map(|(_, count)| count).sum();
        tracing::info!(
            target: "audit",
            session = %self.session,
            principal = self.principal.as_str(),
            connections = report.connections,
            lookups = report.lookups,
            refused,
            untold = report.untold,
            bytes_out = report.bytes_out,
            bytes_in = report.bytes_in,
            "audit: network closed"
        );
        self.jobs.spawn(async move {
            egress.close().await;
            super::Job::Other
        });
    }
}
