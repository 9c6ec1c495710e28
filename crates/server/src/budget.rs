//! How much of the daemon's memory the bodies of requests may take up together.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit that is counted in, bytes: what is smaller counts as one.
const UNIT: u64 = 64 << 10;

/// A budget for bodies. Whoever finds it used up waits.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Semaphore>);

impl Budget {
    /// A budget of so many bytes.
    pub(crate) fn new(bytes: u64) -> Budget {
        Budget(Arc::new(Semaphore::new(usize::try_from(bytes / UNIT).unwrap_or(Semaphore::MAX_PERMITS))))
    }

    /// Waits for so many bytes; they are given back with the permit.
    pub(crate) async fn take(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT).max(1)).unwrap_or(u32::MAX);
        self.0.clone().acquire_many_owned(units).await.ok()
    }
}
