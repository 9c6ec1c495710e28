//! Bytes from a kernel, in pieces: whatever comes is refused or is a frame that says the same when written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::{Decoder, Sender};

fuzz_target!(|input: (u8, &[u8])| {
    let (cut, bytes) = input;
    let mut decoder = Decoder::new(&[Sender::Kernel, Sender::Init]);
    let mut read = Vec::new();
    for piece in bytes.chunks(usize::from(cut).max(1)) {
        decoder.feed(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => read.extend(frame.encode()),
                Ok(None) => break,
                Err(_) => return,
            }
        }
        assert!(decoder.pending() <= bytes.len());
    }
    assert_eq!(read, bytes[..read.len()]);
});
