//! A session's way out: opened with its cell, asked for what it refused, closed before the cell is.

use std::sync::Arc;

use cell::Cell;
use egress::{Audit, Doors, Egress, Machine, Mark};

use super::Task;
use crate::error::{Error, Result};

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
            host: Arc::new(Machine { is_own: sys::netlink::is_own }),
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
                    "connection {}",
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

    /// What the cell wanted of the network since then and did not get, in sentences.
    pub(super) fn not_reached(&self, since: Option<Mark>) -> Vec<String> {
        let (Some(egress), Some(mark)) = (&self.way_out, since) else { return Vec::new() };
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
            "network closed"
        );
        self.jobs.spawn(async move {
            egress.close().await;
            super::Job::Other
        });
    }
}
