//! Heads of HTTP requests: what is decided does not depend on how they were cut to pieces, and a reader that was written
//! apart finds the same host and no other.
#![no_main]

use egress::wire::greeting::{Greeting, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, bytes) = input;
    if bytes.first() == Some(&22) {
        return;
    }
    let whole = read(bytes);
    let part = read(&bytes[..usize::from(cut).min(bytes.len())]);
    assert!(part == Greeting::More || part == whole, "{part:?}, and then {whole:?}");
    let Greeting::Host(host) = whole else { return };
    // As a careless server would: lines end with either letter, spaces are nothing, the last one counts.
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase().replace('\r', "\n");
    let head = text.split("\n\n\n").next().unwrap_or_default();
    let hosts: Vec<&str> = head
        .split('\n')
        .skip(1)
        .filter_map(|line| line.trim_start().strip_prefix("host")?.trim_start().strip_prefix(':'))
        .map(|value| value.trim().split(':').next().unwrap_or_default())
        .collect();
    assert!(hosts.len() <= 1, "{hosts:?}");
    assert!(hosts.iter().all(|found| *found == host.to_ascii_lowercase()), "{hosts:?}, {host}");
});
