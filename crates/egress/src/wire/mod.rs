//! What strangers write, read without believing it: lookups, answers, greetings, packets that the kernel rejected.
//!
//! **Invariants.** Pure functions. Whatever the bytes are, nothing panics, nothing loops, and nothing is kept that is
//! much larger than what came in. What can be read in two ways is refused and not guessed at.
//!
//! Rejected: `hickory-proto`. It brings 64 crates for what are here three hundred lines, and what it makes of a message
//! is more than a relay wants to know; all that is needed are one question, addresses, and names inside of records.

pub mod answer;
pub mod dns;
pub mod greeting;
mod http;
pub mod name;
pub mod packet;
mod tls;

/// Bytes that are read from the front. Every read is `None` when there are not enough.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    /// Everything, also what was read before.
    pub(crate) fn whole(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.rest().get(..count)?;
        self.at += count;
        Some(taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(crate) fn u24(&mut self) -> Option<usize> {
        self.take(3)
            .map(|bytes| usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2]))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.take(4).map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}
