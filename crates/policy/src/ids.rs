//! Which ids of the host cells get.
//!
//! As root a node owns a block of ids that no user and no other node has: the outer user namespace maps its id 0 and
//! two ids for each cell that lives, so that no two cells, and no cell and its init, are the same user to the kernel.
//! Without root there is one id, the caller's own.

use crate::plan::CellIds;

/// Ids in one block: one for the launcher and two for each of up to 2047 cells.
pub const BLOCK: u32 = 4096;

/// Where blocks begin on a host whose ids are all there. systemd's list of id ranges leaves `0x7000_0000` to
/// `0x7fff_fffe` to nobody.
const FIRST: u32 = 0x7000_0000;
const LAST: u32 = 0x7fff_0000;

/// The ids that a node's outer user namespace has on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OuterIds {
    /// Root mode: a block beginning with this id.
    Block {
        /// The host's id for the outer user namespace's 0.
        base: u32,
    },
    /// The caller's own ids alone.
    Own {
        /// The caller's user id.
        uid: u32,
        /// The caller's group id.
        gid: u32,
    },
}

/// The begins of the blocks that this user namespace can give, from its `/proc/self/uid_map`.
///
/// A container often has 65 536 ids only: then the blocks are at its upper end, below `nobody`.
pub fn blocks(uid_map: &str) -> Vec<u32> {
    let Some(end) = uid_map
        .lines()
        .filter_map(|line| {
            let mut numbers = line.split_ascii_whitespace().map(str::parse::<u64>);
            let (inside, _, count) = (numbers.next()?.ok()?, numbers.next()?, numbers.next()?.ok()?);
            Some((inside, inside + count))
        })
        .filter(|(start, end)| end - start >= 4 * u64::from(BLOCK))
        .map(|(_, end)| end)
        .max()
    else {
        return Vec::new();
    };
    if end >= u64::from(LAST) {
        return (FIRST..LAST).step_by(BLOCK as usize).collect();
    }
    // The last block stays free: 65 534 is in it.
    let end = (end / u64::from(BLOCK) - 1) as u32 * BLOCK;
    vec![end - BLOCK, end - 2 * BLOCK]
}

impl OuterIds {
    /// The lines of the outer user namespace's uid map and gid map.
    pub fn maps(self) -> (String, String) {
        match self {
            OuterIds::Block { base } => (format!("0 {base} {BLOCK}\n"), format!("0 {base} {BLOCK}\n")),
            OuterIds::Own { uid, gid } => (format!("0 {uid} 1\n"), format!("0 {gid} 1\n")),
        }
    }

    /// The ids of the cell in this slot; `None` when there are no more.
    pub fn cell(self, slot: u32) -> Option<CellIds> {
        match self {
            OuterIds::Block { .. } => {
                let user = slot.checked_mul(2)?.checked_add(1)?;
                (user + 1 < BLOCK).then_some(CellIds { user, init: user + 1 })
            }
            OuterIds::Own { .. } => Some(CellIds { user: 0, init: 0 }),
        }
    }

    /// The host's user id for an id in the outer user namespace.
    pub fn host(self, id: u32) -> u32 {
        match self {
            OuterIds::Block { base } => base + id,
            OuterIds::Own { uid, .. } => uid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_a_host_a_container_and_a_user() {
        let host = blocks("         0          0 4294967295\n");
        assert_eq!((host[0], host.len()), (FIRST, 65520));
        assert_eq!(blocks("0 100000 65536\n"), [57344, 53248]);
        assert_eq!(blocks("0 1000 1\n"), Vec::<u32>::new());
        assert_eq!(blocks("rubbish\n1 2\n"), Vec::<u32>::new());
        // `nobody` belongs to nobody's block.
        assert!(blocks("0 100000 65536\n").iter().all(|base| base + BLOCK <= 65534));
    }

    #[test]
    fn no_two_cells_share_an_id() {
        let ids = OuterIds::Block { base: FIRST };
        let mut seen = vec![0];
        for slot in 0..2047 {
            let cell = ids.cell(slot).unwrap();
            seen.extend([cell.user, cell.init]);
        }
        assert_eq!(ids.cell(2047), None);
        assert!(seen.iter().all(|id| *id < BLOCK));
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1 + 2 * 2047);
    }
}
