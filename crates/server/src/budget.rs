//! How much of the daemon's memory the bodies of requests may take up together.
//!
//! A body takes from the budget as it comes, and not what its header announces: a client that announces much and sends
//! little holds little. When nothing is left nobody waits for long, since all might wait for each other: a request is
//! told to come again, which clients of AWS do by themselves.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit that is counted in, bytes.
const UNIT: u64 = 64 << 10;
/// How long a body waits for others to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// A budget for bodies.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Semaphore>);

/// What one body has taken; it is given back when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Share {
    permit: Option<OwnedSemaphorePermit>,
    units: u64,
}

impl Budget {
    /// A budget of so many bytes.
    pub(crate) fn new(bytes: u64) -> Budget {
        Budget(Arc::new(Semaphore::new(usize::try_from(bytes / UNIT).unwrap_or(Semaphore::MAX_PERMITS))))
    }

    /// Lets a share grow to so many bytes; whether there was room for that.
    pub(crate) async fn grow(&self, share: &mut Share, bytes: u64) -> bool {
        // The first unit is everybody's: a small body never waits for large ones.
        let units = bytes / UNIT;
        let Some(more) = units.checked_sub(share.units).filter(|more| *more > 0) else { return true };
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        let Ok(Ok(permit)) = tokio::time::timeout(PATIENCE, self.0.clone().acquire_many_owned(more)).await
        else {
            return false;
        };
        share.units = units;
        match &mut share.permit {
            Some(held) => held.merge(permit),
            None => share.permit = Some(permit),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_share_grows_as_long_as_there_is_room() {
        let budget = Budget::new(10 * UNIT);
        let (mut one, mut two) = (Share::default(), Share::default());
        assert!(budget.grow(&mut one, 8 * UNIT).await);
        assert!(budget.grow(&mut one, 3 * UNIT).await);
        assert!(budget.grow(&mut two, UNIT - 1).await);
        assert!(!budget.grow(&mut two, 3 * UNIT).await);
        drop(one);
        assert!(budget.grow(&mut two, 10 * UNIT).await);
        assert!(!budget.grow(&mut two, 11 * UNIT).await);
        // A small body needs nothing.
        assert!(budget.grow(&mut Share::default(), UNIT - 1).await);
    }
}
