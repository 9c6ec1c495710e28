//! The frame: a 28-byte header and a payload.
//!
//! ```text
//! 0      2        3     4          8            12                 28
//! +------+--------+-----+----------+------------+------------------+---------
//! | "CB" | version| kind| length   | subject    | call             | payload
//! +------+--------+-----+----------+------------+------------------+---------
//!          u8       u8    u32 LE     u32 LE       u128 LE
//! ```
//!
//! `subject` is a kernel's id where a kernel is meant, else 0; `call` is the invocation the frame belongs to, else 0.

use crate::ids::{CallId, KernelId};

/// The version of this protocol. Both ends must name the same one.
pub const VERSION: u8 = 1;

/// Bytes before the payload.
pub const HEADER_LEN: usize = 28;

/// The largest payload, in bytes. A larger result (a picture, a long traceback) is cut by the kernel before it is
/// framed; a header that claims more comes from something that is not our kernel.
pub const MAX_PAYLOAD: usize = 32 << 20;

const MAGIC: [u8; 2] = *b"CB";

/// Who may send a kind of frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The daemon, to init.
    Daemon,
    /// Init, to the daemon.
    Init,
    /// Init, to a kernel.
    InitToKernel,
    /// A kernel, to init; init relays these to the daemon under the call that it knows to be running.
    Kernel,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $sender:ident;)*) => {
        /// What a frame says. The number is the wire's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $name = $value,)* }

        impl Kind {
            /// All kinds, in the order of their numbers.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// The kind with this number, if there is one.
            pub fn from_u8(value: u8) -> Option<Kind> {
                match value { $($value => Some(Kind::$name),)* _ => None }
            }

            /// Who may send this kind.
            pub fn sender(self) -> Sender {
                match self { $(Kind::$name => Sender::$sender,)* }
            }
        }
    };
}

kinds! {
    /// Opens a connection; init answers with [`Kind::State`].
    Hello = 0x01, Daemon;
    /// Asks for the ends of a new kernel's socket and pipes; answered with [`Kind::KernelEnds`].
    PrepareKernel = 0x02, Daemon;
    /// Starts a cold kernel inside the cell. Payload: [`crate::Spawn`].
    StartKernel = 0x03, Daemon;
    /// Runs code in a kernel. Payload: the kernel's JSON. A call id that init has seen is answered, not run again.
    Execute = 0x04, Daemon;
    /// Interrupts the call if it is running (SIGINT to the kernel or to the command's process group).
    Interrupt = 0x05, Daemon;
    /// Kills the kernel and everything in its process session.
    KillKernel = 0x06, Daemon;
    /// Starts a command. Payload: [`crate::Spawn`]. Where a kernel is named, the command starts in the directory that
    /// this kernel works in; in the payload's if that is not to be had.
    StartCommand = 0x07, Daemon;
    /// Kills a command's whole process group and session.
    KillCommand = 0x08, Daemon;
    /// The daemon has recorded the call's end: init may forget it.
    Forget = 0x09, Daemon;
    /// Ends the cell.
    Shutdown = 0x0a, Daemon;
    /// Does something with a file. Payload: [`crate::FileRequest`]. The kernel named, if one is, works in the directory
    /// from which a relative path starts. The call's id is there to tell answers apart and is not remembered.
    File = 0x0b, Daemon;

    /// What lives in the cell. Payload: [`crate::CellState`].
    State = 0x40, Init;
    /// Three descriptors come along: the kernel's end of its socket, of its stdout pipe and of its stderr pipe.
    KernelEnds = 0x41, Init;
    /// A kernel is ready to run code.
    KernelReady = 0x42, Init;
    /// A kernel is gone. Payload: [`crate::WaitStatus`].
    KernelExited = 0x43, Init;
    /// A command has ended. Payload: [`crate::WaitStatus`].
    CommandExited = 0x44, Init;
    /// The frame that named this call could not be served. Payload: [`crate::RefusedReason`].
    Refused = 0x45, Init;
    /// The kernel broke the protocol and is being killed; without a kernel: the daemon did, and is being disconnected.
    /// Payload: a sentence.
    Broken = 0x46, Init;
    /// Init had to drop output of this call while no daemon listened. Payload: the bytes dropped, u64.
    Dropped = 0x47, Init;
    /// Init has killed the cell's largest process, because the cell is over its soft memory limit; the kernel or
    /// command it belonged to is named. Payload: the limit and what was in use, bytes, u64 each.
    SoftMemory = 0x48, Init;
    /// Answers [`Kind::File`]. Payload: [`crate::FileReply`]. One descriptor comes along if it was done, else none.
    FileReply = 0x49, Init;

    /// Run this. Payload: the kernel's JSON.
    Run = 0x60, InitToKernel;
    /// The call that it names is to end: what a signal cannot tell an interpreter that runs code. Comes with a SIGINT. A
    /// kernel that needs none of this passes over it when the call is over.
    Cancel = 0x61, InitToKernel;

    /// A kernel's first frame; carries its credentials.
    Ready = 0x80, Kernel;
    /// Text written to standard output. Payload: bytes. This and the next three belong to the call that init knows to be
    /// running, unless they name none: then code of an earlier call has caused them.
    Stdout = 0x81, Kernel;
    /// Text written to standard error. Payload: bytes.
    Stderr = 0x82, Kernel;
    /// Something displayed. Payload: a MIME bundle, JSON.
    Display = 0x83, Kernel;
    /// The value of the last expression. Payload: a MIME bundle, JSON.
    Result = 0x84, Kernel;
    /// The call has ended. Payload: the kernel's report, JSON.
    Done = 0x85, Kernel;
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The first two bytes are not the protocol's.
    #[error("read a frame: it does not begin as one")]
    Magic,
    /// Another version of the protocol.
    #[error("read a frame: version {0}, and this end speaks {VERSION}")]
    Version(u8),
    /// A kind that this version does not have.
    #[error("read a frame: there is no kind {0:#04x}")]
    Kind(u8),
    /// A kind that this sender may not send.
    #[error("read a frame: {0:?} may not come from here")]
    NotAllowed(Kind),
    /// The payload is larger than [`MAX_PAYLOAD`].
    #[error("read a frame: a payload of {0} bytes, and {MAX_PAYLOAD} is the most")]
    TooLarge(u32),
}

/// The fixed part of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What it says.
    pub kind: Kind,
    /// Bytes of payload that follow.
    pub len: u32,
    /// The kernel meant, or 0.
    pub kernel: KernelId,
    /// The invocation it belongs to, or 0.
    pub call: CallId,
}

impl Header {
    /// Reads a header. Says nothing of who may send it.
    pub fn decode(bytes: &[u8; HEADER_LEN]) -> Result<Header, FrameError> {
        if bytes[..2] != MAGIC {
            return Err(FrameError::Magic);
        }
        if bytes[2] != VERSION {
            return Err(FrameError::Version(bytes[2]));
        }
        let kind = Kind::from_u8(bytes[3]).ok_or(FrameError::Kind(bytes[3]))?;
        let len = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        if len as usize > MAX_PAYLOAD {
            return Err(FrameError::TooLarge(len));
        }
        let kernel = KernelId(u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]));
        let mut call = [0; 16];
        call.copy_from_slice(&bytes[12..]);
        Ok(Header { kind, len, kernel, call: CallId(u128::from_le_bytes(call)) })
    }

    /// The header's bytes.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        out[..2].copy_from_slice(&MAGIC);
        out[2] = VERSION;
        out[3] = self.kind as u8;
        out[4..8].copy_from_slice(&self.len.to_le_bytes());
        out[8..12].copy_from_slice(&self.kernel.0.to_le_bytes());
        out[12..].copy_from_slice(&self.call.0.to_le_bytes());
        out
    }
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it says.
    pub kind: Kind,
    /// The kernel meant, or 0.
    pub kernel: KernelId,
    /// The invocation it belongs to, or 0.
    pub call: CallId,
    /// At most [`MAX_PAYLOAD`] bytes.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A frame that names neither kernel nor call.
    pub fn new(kind: Kind, payload: impl Into<Vec<u8>>) -> Frame {
        Frame { kind, kernel: KernelId::NONE, call: CallId::NONE, payload: payload.into() }
    }

    /// The same frame about this kernel.
    #[must_use]
    pub fn kernel(mut self, kernel: KernelId) -> Frame {
        self.kernel = kernel;
        self
    }

    /// The same frame for this call.
    #[must_use]
    pub fn call(mut self, call: CallId) -> Frame {
        self.call = call;
        self
    }

    /// The frame's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LEN + self.payload.len());
        self.encode_into(&mut out);
        out
    }

    /// Appends the frame's bytes.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        debug_assert!(self.payload.len() <= MAX_PAYLOAD);
        let header =
            Header { kind: self.kind, len: self.payload.len() as u32, kernel: self.kernel, call: self.call };
        out.extend_from_slice(&header.encode());
        out.extend_from_slice(&self.payload);
    }
}

/// Turns a stream of bytes into frames from one kind of sender.
///
/// After an error the stream has no next frame: the connection must be given up.
#[derive(Debug)]
pub struct Decoder {
    allowed: &'static [Sender],
    buffer: Vec<u8>,
    start: usize,
}

impl Decoder {
    /// A decoder that accepts only what these senders may say.
    pub fn new(allowed: &'static [Sender]) -> Decoder {
        Decoder { allowed, buffer: Vec::new(), start: 0 }
    }

    /// Bytes held that are not yet a frame.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Adds bytes that were read.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        } else if self.start > 64 << 10 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, or `None` if more bytes are needed.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(head) = self.buffer[self.start..].first_chunk::<HEADER_LEN>() else { return Ok(None) };
        let header = Header::decode(head)?;
        if !self.allowed.contains(&header.kind.sender()) {
            return Err(FrameError::NotAllowed(header.kind));
        }
        let from = self.start + HEADER_LEN;
        let to = from + header.len as usize;
        let Some(payload) = self.buffer.get(from..to) else { return Ok(None) };
        let frame =
            Frame { kind: header.kind, kernel: header.kernel, call: header.call, payload: payload.to_vec() };
        self.start = to;
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
            // One large picture must not hold its memory for the rest of the session.
            self.buffer.shrink_to(256 << 10);
        }
        Ok(Some(frame))
    }
}
