//! Carries bytes from one connection to another, one direction at a time.
//!
//! **Invariants.** A connection that is idle holds no buffer: bytes are read into one that belongs to the thread, and
//! only what the other side does not take is kept, until it does. A busy one lets others have their turn.
//!
//! Rejected: `splice`. It saves a copy and costs two descriptors and a pipe's pages for each direction.

use std::cell::RefCell;
use std::io;

use policy::network::Refusal;
use tokio::net::TcpStream;

/// How much is read at once.
const CHUNK: usize = 64 << 10;
/// After so many bytes others have their turn.
const TURN: usize = 256 << 10;

/// Why bytes are carried no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A side broke the connection off.
    Reset,
    /// They may not.
    Refused(Refusal),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> End {
        End::Reset
    }
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> End {
        End::Refused(refusal)
    }
}

enum Step {
    Idle,
    Ended,
    Moved(usize),
}

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK].into());
}

/// Carries `held` and then everything until the one side ends, and tells the other that it has. `count` judges how many
/// bytes are carried, before they are; `held` was counted already.
pub(crate) async fn pump(
    from: &TcpStream,
    to: &TcpStream,
    held: Vec<u8>,
    count: impl Fn(usize) -> Result<(), Refusal>,
) -> Result<(), End> {
    write(to, held).await?;
    let mut turn = 0;
    loop {
        let (step, rest) = step(from, to, &count)?;
        write(to, rest).await?;
        match step {
            Step::Idle => {
                from.readable().await?;
                turn = 0;
            }
            Step::Ended => {
                rustix::net::shutdown(to, rustix::net::Shutdown::Write).map_err(io::Error::from)?;
                return Ok(());
            }
            Step::Moved(moved) => turn += moved,
        }
        if turn >= TURN {
            turn = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// Reads once, and writes as much of it as can be at once; the rest is given back.
fn step(
    from: &TcpStream,
    to: &TcpStream,
    count: impl Fn(usize) -> Result<(), Refusal>,
) -> Result<(Step, Vec<u8>), End> {
    SCRATCH.with_borrow_mut(|scratch| {
        let read = match from.try_read(scratch) {
            Ok(0) => return Ok((Step::Ended, Vec::new())),
            Ok(read) => read,
            Err(error) if would_block(&error) => return Ok((Step::Idle, Vec::new())),
            Err(error) => return Err(error.into()),
        };
        count(read)?;
        let mut rest = &scratch[..read];
        while !rest.is_empty() {
            match to.try_write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if would_block(&error) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok((Step::Moved(read), rest.to_vec()))
    })
}

async fn write(to: &TcpStream, bytes: Vec<u8>) -> io::Result<()> {
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        to.writable().await?;
        match to.try_write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if would_block(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn would_block(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
