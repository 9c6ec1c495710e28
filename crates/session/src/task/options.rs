//! What a session is opened with.

use std::time::Duration;

use policy::network::Network;
use policy::{Limits, Mount};

use super::workspace::WorkspaceOptions;
use crate::language::TypeErrors;

/// What a session is opened with.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// What its cell may use.
    pub limits: Limits,
    /// What its cell may reach.
    pub network: Network,
    /// What becomes of TypeScript code with type errors.
    pub type_errors: TypeErrors,
    /// Where its cell sees its workspace.
    pub mount: Mount,
    /// How long its cell lives without a daemon; zero: it ends with its connection.
    pub linger: Duration,
    /// How long the session lives at most.
    pub ttl: Option<Duration>,
    /// How long it lives without a call.
    pub idle: Option<Duration>,
    /// The files that outlive it; without, nothing does.
    pub workspace: Option<WorkspaceOptions>,
}

impl Default for SessionOptions {
    fn default() -> SessionOptions {
        SessionOptions {
            limits: Limits::default(),
            network: Network::default(),
            type_errors: TypeErrors::default(),
            mount: Mount::default(),
            linger: Duration::ZERO,
            ttl: None,
            idle: None,
            workspace: None,
        }
    }
}
