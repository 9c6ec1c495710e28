//! Whom a client wants to speak to, by its first bytes: the server name of TLS, the host of HTTP/1.
//!
//! Rejected: to look at more than the greeting. A later request on the same connection may name another host, as what
//! is said inside TLS may: whoever lists a host lists what shares its server.

use policy::network::Name;

use super::{http, tls};

/// The longest greeting.
pub const LONGEST: usize = 16 << 10;

/// What a client's first bytes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Greeting {
    /// It cannot be told yet.
    More,
    /// It is for this host.
    Host(String),
    /// Neither TLS nor HTTP/1, or without a name.
    Nameless,
    /// It could be understood in two ways, or asks for another protocol.
    Unclear,
}

impl Greeting {
    /// Whether the host that is named is this one.
    pub fn names(&self, name: &Name) -> bool {
        matches!(self, Greeting::Host(host) if Name::new(host).as_ref() == Some(name))
    }
}

/// Reads the first bytes of a client, all that have come so far.
pub fn read(bytes: &[u8]) -> Greeting {
    let greeting = match bytes {
        [] => Greeting::More,
        [tls::HANDSHAKE, ..] => tls::read(bytes),
        _ => http::read(bytes),
    };
    match greeting {
        Greeting::More if bytes.len() >= LONGEST => Greeting::Unclear,
        greeting => greeting,
    }
}
