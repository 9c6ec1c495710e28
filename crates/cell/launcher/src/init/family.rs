//! Which processes belong to a kernel or a command: all that it started, as far as that can be told.
//!
//! A process belongs to a leader if it is the leader, is in the leader's session, descends from one that belongs, or is
//! in a session that such a descendant began. A session can only be entered by being born into it, so everything in
//! one that a member began descends from that member, whoever its parent is by now.
//!
//! Not found is who left for a session of its own and whose parent had ended before anybody looked: its parent is init
//! then, and nothing tells where it came from. It ends with the cell.

use std::collections::BTreeSet;

use super::proc::{self, Process};

/// A leader and what belongs to it, as far as it has been seen.
#[derive(Debug)]
pub(super) struct Family {
    /// Sessions that members may be in without having begun them: what else is there is not theirs.
    foreign: BTreeSet<u32>,
    sessions: BTreeSet<u32>,
    members: BTreeSet<u32>,
}

impl Family {
    /// The family of this leader, of which nobody has been seen.
    pub(super) fn of(leader: u32) -> Family {
        // Between fork and setsid a process is in the session that it was born into.
        let born = proc::find(leader).map(|process| process.session).filter(|&session| session != leader);
        Family::new(leader, [Some(0), Some(sys::process::own_session()), born].into_iter().flatten())
    }

    fn new(leader: u32, foreign: impl IntoIterator<Item = u32>) -> Family {
        Family {
            foreign: foreign.into_iter().collect(),
            sessions: BTreeSet::from([leader]),
            members: BTreeSet::from([leader]),
        }
    }

    /// Looks at a process; says whether it belongs, judged by what has been seen so far.
    pub(super) fn owns(&mut self, process: &Process) -> bool {
        let belongs = self.members.contains(&process.pid)
            || self.members.contains(&process.parent)
            || self.sessions.contains(&process.session);
        if belongs {
            self.members.insert(process.pid);
            if !self.foreign.contains(&process.session) {
                self.sessions.insert(process.session);
            }
        }
        belongs
    }

    /// Whether everybody in the process group of a member belongs too.
    pub(super) fn owns_group(&self, member: &Process) -> bool {
        member.group != 0 && self.sessions.contains(&member.session)
    }

    /// Whether this one of these processes belongs.
    pub(super) fn includes(mut self, processes: &[Process], pid: u32) -> bool {
        let mut known = BTreeSet::new();
        proc::until_stable(processes, |process| self.owns(process) && known.insert(process.pid));
        known.contains(&pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, parent: u32, session: u32) -> Process {
        Process { pid, parent, group: session, session, alive: true }
    }

    fn members(processes: &[Process], leader: u32, foreign: &[u32]) -> Vec<u32> {
        let family = || Family::new(leader, foreign.iter().copied());
        let pids = processes.iter().map(|process| process.pid);
        pids.filter(|&pid| family().includes(processes, pid)).collect()
    }

    #[test]
    fn members_are_found_through_sessions_and_parents_in_any_order() {
        let all = [
            process(3, 20, 3),  // left the session; its parent, which is a member, comes later
            process(4, 1, 3),   // an orphan in the session that 3 began
            process(10, 1, 10), // the leader
            process(20, 10, 10),
            process(30, 1, 10), // an orphan that stayed in the session
            process(40, 1, 40), // an orphan of another session
            process(41, 40, 40),
        ];
        assert_eq!(members(&all, 10, &[0, 1]), [3, 4, 10, 20, 30]);
        assert_eq!(members(&all, 40, &[0, 1]), [40, 41]);
        assert_eq!(members(&all, 99, &[0, 1]), []);
    }

    #[test]
    fn a_leader_without_a_session_of_its_own_does_not_own_the_one_it_is_in() {
        let all = [
            process(10, 1, 7), // the leader
            process(11, 10, 7),
            process(12, 10, 12),
            process(13, 1, 12),
            process(20, 1, 7), // somebody else
            process(21, 20, 0),
            process(30, 11, 0),
        ];
        assert_eq!(members(&all, 10, &[0, 1, 7]), [10, 11, 12, 13, 30]);
        let mut family = Family::new(10, [0, 1, 7]);
        assert!(family.owns(&all[0]) && !family.owns_group(&all[0]));
        assert!(family.owns(&all[2]) && family.owns_group(&all[2]));
    }
}
