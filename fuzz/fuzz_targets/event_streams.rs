//! Frames of an event stream: whatever is put in comes out of a decoder that was written apart from the encoder.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &str)| {
    let (payload, message) = input;
    let frame = server::fuzz::result(payload);
    assert_eq!(decode(&frame), ("event".into(), ":event-type".into(), "result".into(), payload));
    let (frame, json) = server::fuzz::exception(message);
    let expected = ("exception".into(), ":exception-type".into(), "validationException".into(), json.as_bytes());
    assert_eq!(decode(&frame), expected);
});

/// Its kind, the name and the value of the header that says of which type, and its payload.
fn decode(frame: &[u8]) -> (String, String, String, &[u8]) {
    let number = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
    let (total, headers) = (number(0) as usize, number(4) as usize);
    assert_eq!(total, frame.len());
    assert_eq!(number(8), checksum(&frame[..8]));
    assert_eq!(number(total - 4), checksum(&frame[..total - 4]));
    let (mut rest, mut found) = (&frame[12..12 + headers], Vec::new());
    while let [length, tail @ ..] = rest {
        let (name, tail) = tail.split_at(usize::from(*length));
        assert_eq!(tail[0], 7);
        let (value, tail) = tail[3..].split_at(usize::from(u16::from_be_bytes([tail[1], tail[2]])));
        found.push([name, value].map(|text| String::from_utf8(text.to_vec()).unwrap()));
        rest = tail;
    }
    let [[kind, of], [name, value], content] = found.try_into().unwrap();
    assert_eq!((kind.as_str(), content), (":message-type", [":content-type".into(), "application/json".into()]));
    (of, name, value, &frame[12 + headers..total - 4])
}

/// CRC-32 as in gzip, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ 0xedb8_8320 })
    })
}
