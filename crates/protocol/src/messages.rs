//! The payloads that init reads or writes itself.

use crate::codec::{CodecError, Reader, Writer};
use crate::ids::{CallId, KernelId};

/// A program to start inside the cell, as the cell's user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spawn {
    /// The program and its arguments; the program is an absolute path in the cell.
    pub argv: Vec<String>,
    /// The whole environment, `NAME=value`.
    pub env: Vec<String>,
    /// The working directory, in the cell.
    pub cwd: String,
}

impl Spawn {
    /// The message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.list(self.argv.iter(), |w, arg| _ = w.str(arg));
        out.list(self.env.iter(), |w, var| _ = w.str(var));
        out.str(&self.cwd).finish()
    }

    /// Reads the message.
    pub fn decode(bytes: &[u8]) -> Result<Spawn, CodecError> {
        let mut read = Reader::new(bytes);
        let argv = read.list(|r| r.str().map(str::to_owned))?;
        let env = read.list(|r| r.str().map(str::to_owned))?;
        let cwd = read.str()?.to_owned();
        read.end()?;
        Ok(Spawn { argv, env, cwd })
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitStatus {
    /// It returned this status.
    Exited(i32),
    /// It died of this signal.
    Signaled(i32),
    /// It ended, and nobody could be told how: it died before it had said its name.
    Unknown,
}

impl WaitStatus {
    /// The message's bytes.
    pub fn encode(self) -> Vec<u8> {
        let (tag, value) = match self {
            WaitStatus::Exited(status) => (0, status),
            WaitStatus::Signaled(signal) => (1, signal),
            WaitStatus::Unknown => (2, 0),
        };
        Writer::new().u8(tag).u32(value as u32).finish()
    }

    /// Reads the message.
    pub fn decode(bytes: &[u8]) -> Result<WaitStatus, CodecError> {
        let mut read = Reader::new(bytes);
        let (tag, value) = (read.u8()?, read.u32()? as i32);
        read.end()?;
        match tag {
            0 => Ok(WaitStatus::Exited(value)),
            1 => Ok(WaitStatus::Signaled(value)),
            2 => Ok(WaitStatus::Unknown),
            _ => Err(CodecError::Value("a wait status")),
        }
    }
}

/// Why init did not do what a frame asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RefusedReason {
    /// There is no such kernel.
    NoKernel = 1,
    /// The kernel is running another call.
    Busy = 2,
    /// The call is known, and its result is no longer kept.
    Forgotten = 3,
    /// The program could not be started.
    SpawnFailed = 4,
    /// There is no such call.
    NoCall = 5,
}

impl RefusedReason {
    /// Reads the first byte of the payload. A sentence may follow it.
    pub fn decode(bytes: &[u8]) -> Result<(RefusedReason, String), CodecError> {
        let mut read = Reader::new(bytes);
        let reason = match read.u8()? {
            1 => RefusedReason::NoKernel,
            2 => RefusedReason::Busy,
            3 => RefusedReason::Forgotten,
            4 => RefusedReason::SpawnFailed,
            5 => RefusedReason::NoCall,
            _ => return Err(CodecError::Value("a reason")),
        };
        let detail = read.str()?.to_owned();
        read.end()?;
        Ok((reason, detail))
    }

    /// The message's bytes, with a sentence that may be empty.
    pub fn encode(self, detail: &str) -> Vec<u8> {
        Writer::new().u8(self as u8).str(detail).finish()
    }
}

/// A kernel as init sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelState {
    /// Its id.
    pub id: KernelId,
    /// Whether it has said that it is ready.
    pub ready: bool,
    /// The call that it runs, or 0.
    pub running: CallId,
}

/// What lives in a cell: init's first words on every connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CellState {
    /// Its kernels.
    pub kernels: Vec<KernelState>,
    /// Commands that run.
    pub commands: Vec<CallId>,
    /// Calls that ended and are kept.
    pub ended: Vec<CallId>,
}

impl CellState {
    /// The message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.list(self.kernels.iter(), |w, k| _ = w.u32(k.id.0).bool(k.ready).u128(k.running.0));
        out.list(self.commands.iter(), |w, call| _ = w.u128(call.0));
        out.list(self.ended.iter(), |w, call| _ = w.u128(call.0));
        out.finish()
    }

    /// Reads the message.
    pub fn decode(bytes: &[u8]) -> Result<CellState, CodecError> {
        let mut read = Reader::new(bytes);
        let kernels = read.list(|r| -> Result<_, CodecError> {
            Ok(KernelState { id: KernelId(r.u32()?), ready: r.bool()?, running: CallId(r.u128()?) })
        })?;
        let commands = read.list(|r| r.u128().map(CallId))?;
        let ended = read.list(|r| r.u128().map(CallId))?;
        read.end()?;
        Ok(CellState { kernels, commands, ended })
    }
}
