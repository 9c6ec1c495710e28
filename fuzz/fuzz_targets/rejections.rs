//! What the kernel tells of packets that were rejected: netlink around headers of which a cell wrote any byte.
#![no_main]

use egress::wire::packet::read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, &[u8])| {
    let (framed, bytes) = input;
    let message = if framed {
        // A whole message with one attribute, the packet: else a length would have to be guessed first.
        let packet = [&(bytes.len() as u16 + 4).to_ne_bytes()[..], &9_u16.to_ne_bytes(), bytes].concat();
        let length = (packet.len() as u32 + 20).to_ne_bytes();
        [&length[..], &(4_u16 << 8).to_ne_bytes(), &[0; 14], &packet].concat()
    } else {
        bytes.to_vec()
    };
    let found = read(&message);
    assert!(found.len() <= message.len() / 16);
    assert!(!framed || found.len() <= 1);
});
