//! What the kernel tells of packets that a cell's rules rejected.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use policy::network::Refusal;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::audit::{Audit, Verdict};
use crate::shared::{Denied, Shared};
use crate::wire::packet::{self, Protocol, Rejected};

/// Room for one message, bytes. It holds the begin of one packet.
const MESSAGE: usize = 2048;
/// How many messages are heard before others have their turn.
const TURN: usize = 64;

/// The socket on which it tells.
#[derive(Debug)]
pub(crate) struct Rejections {
    socket: AsyncFd<OwnedFd>,
    /// Who has it has told everything that he heard.
    turn: Mutex<()>,
}

impl Rejections {
    #[expect(
        deprecated,
        reason = "its contract is about types that lie about their descriptor; this one owns it"
    )]
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Rejections> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        let socket = AsyncFd::with_interest(socket, Interest::READABLE)?;
        Ok(Rejections { socket, turn: Mutex::new(()) })
    }

    /// Tells of all that the kernel has told by now. An error is that there is nothing more, or that there never will be.
    pub(crate) fn hear(&self, shared: &Shared) -> io::Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = [0; MESSAGE];
        for _ in 0..TURN {
            match rustix::net::recv(&self.socket, &mut bytes[..], rustix::net::RecvFlags::DONTWAIT) {
                Ok((length, _)) => {
                    for one in packet::read(&bytes[..length.min(MESSAGE)]) {
                        rejected(shared, one);
                    }
                }
                // The kernel had more to tell than there was room for: it is only told.
                Err(rustix::io::Errno::NOBUFS | rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Hears until it is dropped.
    pub(crate) async fn listen(&self, shared: &Shared) {
        loop {
            let Ok(mut ready) = self.socket.readable().await else { return };
            if let Ok(Err(error)) = ready.try_io(|_| self.hear(shared)) {
                tracing::warn!(%error, "failed to hear of what a cell's rules rejected");
                return;
            }
        }
    }
}

fn rejected(shared: &Shared, Rejected { to, protocol }: Rejected) {
    let name = {
        let names = shared.names();
        names.behind(to.ip()).or_else(|| names.asked_for(to.ip())).map(ToString::to_string)
    };
    let refusal = match (protocol, shared.network.address(to)) {
        // Nothing but connections leads to a name's own address, and to any other but what is closed for good.
        (Protocol::Udp | Protocol::Other(_), _) if name.is_some() => Refusal::Protocol,
        (Protocol::Udp | Protocol::Other(_), Ok(()) | Err(Refusal::NotListed)) => Refusal::Protocol,
        (_, Err(refusal)) => refusal,
        (Protocol::Tcp, Ok(())) => shared.not_hosts(to).err().unwrap_or(Refusal::Rate),
    };
    let what = match (&name, to.port()) {
        (Some(name), 0) => name.clone(),
        (Some(name), port) => format!("{name}:{port}"),
        (None, 0) => to.ip().to_string(),
        (None, _) => to.to_string(),
    };
    shared.denied(&what, Denied::Refused(refusal));
    shared.tell(&Audit {
        name,
        address: Some(to),
        verdict: Verdict::Refused(refusal),
        bytes_out: 0,
        bytes_in: 0,
        milliseconds: 0,
    });
}
