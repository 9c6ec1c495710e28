//! The id of a request: in every answer, in every error, in every line of the log about it.

use std::fmt;
use std::future::Future;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// An id in the form of a UUID, as clients of AWS expect it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestId(u128);

impl RequestId {
    /// A new one.
    pub(crate) fn new() -> RequestId {
        // Without random bytes a request can still be served; ids only tell requests apart.
        RequestId(session::new_call_id().map_or(0, |id| id.0))
    }

    /// That of the request which is being served; none outside of one.
    pub(crate) fn current() -> Option<RequestId> {
        CURRENT.try_with(|id| *id).ok()
    }

    /// Goes on with the request that is being served, on a task of its own.
    pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) {
        match RequestId::current() {
            Some(id) => tokio::spawn(id.scope(work)),
            None => tokio::spawn(work),
        };
    }

    /// Serves a request under this id.
    pub(crate) async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        write!(f, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}
