//! Greetings of TLS: what is decided does not depend on how they were cut to pieces, and a name is really there.
#![no_main]

use egress::wire::greeting::{Greeting, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, rest) = input;
    let bytes = [&[22, 3], rest].concat();
    let whole = read(&bytes);
    let part = read(&bytes[..usize::from(cut).min(bytes.len())]);
    assert!(part == Greeting::More || part == whole, "{part:?}, and then {whole:?}");
    if let Greeting::Host(host) = whole {
        assert!(!host.is_empty() || rest.len() > 40);
        assert!(host.bytes().all(|byte| byte.is_ascii_graphic()));
        // Its letters stand in what was said, in their order; records may come between them.
        let mut said = bytes.iter();
        assert!(host.bytes().all(|letter| said.any(|&byte| byte == letter)));
    }
});
