//! What daemon and launcher say to each other: one message each way, descriptors beside it.

use crate::codec::{CodecError, Reader, Writer};
use crate::messages::Spawn;

/// What is asked of the launcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The first message: make the template. An encoded `policy::Template`; in root mode the trees of its binds come
    /// along, in their order.
    Setup(Vec<u8>),
    /// Make a cell. An encoded `policy::CellPlan`; init's listening socket comes along, then the cgroups to join.
    Create(Vec<u8>),
    /// Start a program in a copy of the template. Its descriptor 3 comes along.
    Exec(Spawn),
}

/// What the launcher answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Done. For a cell or a program its pidfd comes along, and this is its id on the host; else 0.
    ///
    /// For a cell with a way out its doors come along after that: the socket that tells of rejected packets, then for
    /// IPv4, and for IPv6 where the host has it, the socket for connections and the one for lookups.
    Done(u32),
    /// Not done, and nothing of it is left.
    Failed(Failure),
}

/// Which step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The step, e.g. "mount /proc".
    pub step: String,
    /// The system's error number.
    pub errno: i32,
}

impl Request {
    /// The message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        match self {
            Request::Setup(template) => out.u8(1).bytes(template),
            Request::Create(plan) => out.u8(2).bytes(plan),
            Request::Exec(spawn) => out.u8(3).bytes(&spawn.encode()),
        };
        out.finish()
    }

    /// Reads the message.
    pub fn decode(bytes: &[u8]) -> Result<Request, CodecError> {
        let mut read = Reader::new(bytes);
        let (tag, body) = (read.u8()?, read.bytes()?);
        read.end()?;
        match tag {
            1 => Ok(Request::Setup(body.to_vec())),
            2 => Ok(Request::Create(body.to_vec())),
            3 => Ok(Request::Exec(Spawn::decode(body)?)),
            _ => Err(CodecError::Value("a request")),
        }
    }
}

impl Reply {
    /// The message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        match self {
            Reply::Done(pid) => out.u8(0).u32(*pid),
            Reply::Failed(Failure { step, errno }) => out.u8(1).str(step).u32(*errno as u32),
        };
        out.finish()
    }

    /// Reads the message.
    pub fn decode(bytes: &[u8]) -> Result<Reply, CodecError> {
        let mut read = Reader::new(bytes);
        let reply = match read.u8()? {
            0 => Reply::Done(read.u32()?),
            1 => Reply::Failed(Failure { step: read.str()?.to_owned(), errno: read.u32()? as i32 }),
            _ => return Err(CodecError::Value("a reply")),
        };
        read.end()?;
        Ok(reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_read_back() {
        for request in
            [Request::Setup(vec![1, 2]), Request::Create(Vec::new()), Request::Exec(Spawn::default())]
        {
            assert_eq!(Request::decode(&request.encode()), Ok(request));
        }
        for reply in [Reply::Done(7), Reply::Failed(Failure { step: "mount /proc".into(), errno: 1 })] {
            assert_eq!(Reply::decode(&reply.encode()), Ok(reply));
        }
    }
}
