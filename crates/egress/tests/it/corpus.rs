//! The short form of the fuzz targets: what was found with minutes of them, read again by every reader.

use egress::wire::answer;
use egress::wire::dns::{self, Question, kind};
use egress::wire::greeting::{Greeting, read};
use egress::wire::name::WireName;
use egress::wire::packet;
use policy::network::Name;

#[test]
fn what_the_fuzzers_found_stays_harmless() {
    let question = Question { name: WireName::of(&Name::new("www.example.org").unwrap()), kind: kind::A };
    let (mut hosts, mut lookups, mut records, mut packets) = (0, 0, 0, 0);
    // Some targets take a number from the begin of what they are given.
    for (target, numbers) in [("answers", 3), ("heads", 2), ("hellos", 2), ("lookups", 0), ("rejections", 1)]
    {
        let corpus = format!("{}/../../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
        for entry in std::fs::read_dir(&corpus).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            let bytes = bytes.get(numbers..).unwrap_or_default().to_vec();
            // As the targets put them together.
            let hello = [&[22, 3], &bytes[..]].concat();
            for greeting in [&bytes, &hello] {
                let whole = read(greeting);
                let part = read(&greeting[..greeting.len() / 2]);
                assert!(part == Greeting::More || part == whole, "{part:?}, and then {whole:?}");
                hosts += usize::from(matches!(whole, Greeting::Host(_)));
            }
            lookups += usize::from(dns::read(&bytes).is_ok());
            let mut message = answer::ask(7, &question);
            message.truncate(message.len() - 11);
            (message[2], message[7], message[11]) = (0x81, 9, 0);
            message.extend_from_slice(&bytes);
            records += answer::read(&message, 7, &question).map_or(0, |found| found.records.len());
            let packet = [&(bytes.len() as u16 + 4).to_ne_bytes()[..], &9_u16.to_ne_bytes(), &bytes].concat();
            let length = (packet.len() as u32 + 20).to_ne_bytes();
            let told = [&length[..], &(4_u16 << 8).to_ne_bytes(), &[0; 14], &packet].concat();
            packets += packet::read(&told).len();
        }
    }
    let counts = [hosts, lookups, records, packets];
    assert!(counts.iter().all(|&count| count > 10), "the corpora have whole ones of each: {counts:?}");
}
