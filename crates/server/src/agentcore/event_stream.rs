//! Frames of an AWS event stream.
//!
//! ```text
//! u32 length of all | u32 length of headers | u32 checksum of these | headers | payload | u32 checksum of all before
//! header: u8 length of name | name | u8 7 (a string) | u16 length of value | value
//! ```
//!
//! Numbers are big-endian, checksums CRC-32 as in gzip. A small encoder of our own: the wires are what cellblock is
//! for, and AWS's library brings thirty crates for these forty lines. Tests hold the bytes still, and real clients
//! decode them.

use bytes::{BufMut, Bytes, BytesMut};

use crate::fault::Fault;

/// The type of a header's value that is a string.
const STRING: u8 = 7;
/// Lengths and checksums of a frame, bytes.
const FRAME: usize = 16;

/// The result of a tool; the payload is its JSON.
pub(super) fn result(payload: &[u8]) -> Bytes {
    frame(
        &[(":message-type", "event"), (":event-type", "result"), (":content-type", "application/json")],
        payload,
    )
}

/// An event of a type that no client knows: all of them pass over it, and it keeps a connection from falling silent.
pub(super) fn keep_alive() -> Bytes {
    frame(
        &[(":message-type", "event"), (":event-type", "keepAlive"), (":content-type", "application/json")],
        b"{}",
    )
}

/// A fault that comes after the headers of the answer have been sent.
pub(super) fn exception(fault: &Fault) -> Bytes {
    frame(
        &[
            (":message-type", "exception"),
            (":exception-type", fault.kind.member()),
            (":content-type", "application/json"),
        ],
        fault.json().as_bytes(),
    )
}

fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let length: usize = headers.iter().map(|(name, value)| 4 + name.len() + value.len()).sum();
    let mut bytes = BytesMut::with_capacity(FRAME + length + payload.len());
    bytes.put_u32((FRAME + length + payload.len()) as u32);
    bytes.put_u32(length as u32);
    let checksum = crc32fast::hash(&bytes);
    bytes.put_u32(checksum);
    for (name, value) in headers {
        bytes.put_u8(name.len() as u8);
        bytes.put_slice(name.as_bytes());
        bytes.put_u8(STRING);
        bytes.put_u16(value.len() as u16);
        bytes.put_slice(value.as_bytes());
    }
    bytes.put_slice(payload);
    let checksum = crc32fast::hash(&bytes);
    bytes.put_u32(checksum);
    bytes.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Kind;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A frame as AWS's own library reads it: its headers, and its payload.
    fn decoded(mut frame: &[u8]) -> (Vec<(String, String)>, Bytes) {
        let message = aws_smithy_eventstream::frame::read_message_from(&mut frame).unwrap();
        assert!(frame.is_empty(), "there is more than one frame");
        let text = |header: &aws_smithy_types::event_stream::Header| {
            let value = header.value().as_string().unwrap().as_str().to_owned();
            (header.name().as_str().to_owned(), value)
        };
        (message.headers().iter().map(text).collect(), message.payload().clone())
    }

    #[test]
    fn awss_own_library_reads_every_frame() {
        let headers = |kind: &str, name: &str, value: &str| {
            [(":message-type", kind), (name, value), (":content-type", "application/json")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec()
        };
        let payload = "{\"content\":[\"☃\"]}".repeat(100_000);
        let (got, read) = decoded(&result(payload.as_bytes()));
        assert_eq!((got, read.as_ref()), (headers("event", ":event-type", "result"), payload.as_bytes()));
        let alive = (headers("event", ":event-type", "keepAlive"), Bytes::from_static(b"{}"));
        assert_eq!(decoded(&keep_alive()), alive);
        for kind in [Kind::Validation, Kind::Throttling, Kind::Quota, Kind::Internal] {
            let fault = Fault::new(kind, "no");
            let (got, read) = decoded(&exception(&fault));
            assert_eq!(got, headers("exception", ":exception-type", kind.member()));
            assert_eq!(read, fault.json().as_bytes());
        }
    }

    #[test]
    fn frames_are_as_they_always_were() {
        assert_eq!(
            hex(&keep_alive()),
            "000000610000004f2713dd950d3a6d6573736167652d747970650700056576656e740b3a6576656e742d747970650700\
             096b656570416c6976650d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b7dc2e548\
             10"
        );
        assert_eq!(
            hex(&result(b"{\"content\":[]}")),
            "0000006a0000004cc9cabd3e0d3a6d6573736167652d747970650700056576656e740b3a6576656e742d747970650700\
             06726573756c740d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b22636f6e74656e\
             74223a5b5d7d4716bd4f"
        );
        assert_eq!(
            hex(&exception(&Fault::validation("no"))),
            "000000a0000000612fb011310d3a6d6573736167652d74797065070009657863657074696f6e0f3a657863657074696f\
             6e2d7479706507001376616c69646174696f6e457863657074696f6e0d3a636f6e74656e742d74797065070010617070\
             6c69636174696f6e2f6a736f6e7b226669656c644c697374223a6e756c6c2c226d657373616765223a226e6f222c2272\
             6561736f6e223a6e756c6c7d760a4a69"
        );
    }
}
