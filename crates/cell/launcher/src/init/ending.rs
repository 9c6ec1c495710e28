//! The end of a process session: its leader, and everything that it started.
//!
//! ```text
//!           reaped, or time is up            nobody new
//!   leaving ────────────────────▶ stopping ────────────▶ killed ──nobody is left, or time is up──▶ over
//!                                     ▲ ◀─────────────────┘
//!   killed, or the leader died ───────┘   somebody is left
//! ```
//!
//! To kill a session is to stop the processes that belong to it ([`super::family`]) one by one as they are found, until
//! a look at `/proc` finds no new one, and to kill them then: nobody forks away from under the search. A bomb that forks
//! faster than the search goes is stopped when the cell may have no more processes, since the stopped ones count.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use protocol::WaitStatus;
use sys::process::{Signal, signal_group, signal_pid};

use super::family::Family;
use super::proc::{self, Process};

/// How long a kernel that closed its socket has to come to its end: the interpreter still runs its exit handlers.
const LEAVE: Duration = Duration::from_secs(2);
/// How long it may take to kill a session. A process that the kernel holds in an uninterruptible wait is not waited for.
const KILL: Duration = Duration::from_secs(5);
/// How long members are searched for before those that were found are killed, and the search begins anew.
const STOP: Duration = Duration::from_secs(1);
/// How often a killed session is looked at again. The death of its members is told by a signal sooner.
const AGAIN: Duration = Duration::from_millis(10);
/// Looks at `/proc` before others get their turn. Two are enough for all but bombs.
const LOOKS: usize = 4;

#[derive(Debug)]
enum Phase {
    Leaving {
        until: Instant,
    },
    Stopping {
        search: Search,
        until: Instant,
        next: Instant,
    },
    /// The search is kept: who is dying has perhaps lost the parent by whom it was found.
    Killed {
        search: Search,
        next: Instant,
    },
    Over,
}

/// A session on its way out.
#[derive(Debug)]
pub(super) struct Ending {
    /// `None` if nobody has said which process it is; then there is nothing to wait for.
    leader: Option<u32>,
    status: Option<WaitStatus>,
    /// When it is over whoever is left.
    until: Instant,
    phase: Phase,
}

impl Ending {
    /// The leader has closed its socket and may be about to end by itself.
    pub(super) fn leave(leader: Option<u32>, now: Instant) -> Ending {
        let phase = if leader.is_some() { Phase::Leaving { until: now + LEAVE } } else { Phase::Over };
        Ending { leader, status: None, until: now + LEAVE + KILL, phase }
    }

    /// All of it is to end now.
    pub(super) fn kill(leader: Option<u32>, now: Instant) -> Ending {
        let mut ending = Ending { leader, status: None, until: now + KILL, phase: Phase::Over };
        ending.search(now);
        ending
    }

    /// The leader has ended; what it started is to end too.
    pub(super) fn after(leader: u32, status: WaitStatus, now: Instant) -> Ending {
        let mut ending =
            Ending { leader: Some(leader), status: Some(status), until: now + KILL, phase: Phase::Over };
        ending.search(now);
        ending
    }

    /// Does not wait for the leader any longer.
    pub(super) fn hurry(&mut self, now: Instant) {
        match self.phase {
            Phase::Leaving { .. } => self.search(now),
            Phase::Stopping { .. } | Phase::Killed { .. } | Phase::Over => {}
        }
    }

    /// The leader has ended.
    pub(super) fn reaped(&mut self, status: WaitStatus, now: Instant) {
        self.status = Some(status);
        match self.phase {
            Phase::Leaving { .. } | Phase::Killed { .. } => self.search(now),
            Phase::Stopping { .. } | Phase::Over => {}
        }
    }

    /// A child, whosever, has ended: perhaps the one that was waited for.
    pub(super) fn child_ended(&mut self, now: Instant) {
        match self.phase {
            Phase::Killed { .. } => self.search(now),
            Phase::Leaving { .. } | Phase::Stopping { .. } | Phase::Over => {}
        }
    }

    /// When to call [`Ending::on_time`] next.
    pub(super) fn next(&self) -> Option<Instant> {
        match self.phase {
            Phase::Leaving { until } => Some(until),
            Phase::Stopping { next, .. } | Phase::Killed { next, .. } => Some(next),
            Phase::Over => None,
        }
    }

    pub(super) fn on_time(&mut self, now: Instant) {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Leaving { until } if now >= until => self.search(now),
            Phase::Stopping { search, until, .. } => self.go_on(search, until, now),
            Phase::Killed { search, next } if now >= next => self.go_on(search.again(), now + STOP, now),
            phase @ (Phase::Leaving { .. } | Phase::Killed { .. } | Phase::Over) => self.phase = phase,
        }
    }

    /// How the leader ended, once nothing is left to wait for.
    pub(super) fn over(&self) -> Option<WaitStatus> {
        match self.phase {
            Phase::Over => Some(self.status.unwrap_or(WaitStatus::Unknown)),
            Phase::Leaving { .. } | Phase::Stopping { .. } | Phase::Killed { .. } => None,
        }
    }

    fn search(&mut self, now: Instant) {
        let search = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Killed { search, .. } | Phase::Stopping { search, .. } => Some(search.again()),
            Phase::Leaving { .. } | Phase::Over => self.leader.map(Search::new),
        };
        if let Some(search) = search {
            self.go_on(search, now + STOP, now);
        }
    }

    fn go_on(&mut self, mut search: Search, until: Instant, now: Instant) {
        let complete = (0..LOOKS).any(|_| !search.stop_more());
        self.phase = if !complete && now < until {
            Phase::Stopping { search, until, next: now }
        } else if (search.kill() || self.status.is_none()) && now < self.until {
            Phase::Killed { search, next: now + AGAIN }
        } else {
            Phase::Over
        };
    }
}

/// The living members of a family that have been found and stopped.
#[derive(Debug)]
struct Search {
    leader: u32,
    family: Family,
    found: BTreeMap<u32, Process>,
}

impl Search {
    fn new(leader: u32) -> Search {
        Search { leader, family: Family::of(leader), found: BTreeMap::new() }
    }

    /// A new search for the same family: those who are there now.
    fn again(self) -> Search {
        Search { found: BTreeMap::new(), ..self }
    }

    /// Stops all members that are found now; says whether there were new ones.
    fn stop_more(&mut self) -> bool {
        let Ok(processes) = proc::each() else {
            // Without /proc, as much as can be had.
            let _ = signal_group(self.leader, Signal::Kill);
            return false;
        };
        let before = self.found.len();
        for process in processes {
            // At once and not after the look: what is stopped does not fork.
            if self.family.owns(&process)
                && process.alive
                && self.found.insert(process.pid, process).is_none()
            {
                self.send(&process, Signal::Stop);
            }
        }
        self.found.len() > before
    }

    /// Kills them all; says whether there was anybody.
    fn kill(&self) -> bool {
        for process in self.found.values() {
            self.send(process, Signal::Kill);
        }
        !self.found.is_empty()
    }

    /// Signals a member and, where all of it belongs, its group: to a group the kernel sends between two forks, so
    /// that nobody in it gets away by forking.
    fn send(&self, member: &Process, signal: Signal) {
        if self.family.owns_group(member) {
            let _ = signal_group(member.group, signal);
        }
        let _ = signal_pid(member.pid, signal);
    }
}
