//! Messages of lookups, byte by byte, and whatever else may come.

use egress::wire::answer;
use egress::wire::dns::{self, Code, Query, Question, Record, Reply, kind};
use egress::wire::name::WireName;
use policy::network::Name;
use proptest::prelude::*;

use crate::bed::question;

const QUERY: &[u8] = b"\x12\x34\x01\x20\x00\x01\x00\x00\x00\x00\x00\x01\
    \x03wWw\x07Example\x03org\x00\x00\x01\x00\x01\
    \x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x0c\x00\x0a\x00\x08\x01\x02\x03\x04\x05\x06\x07\x08";

#[test]
fn a_lookup_is_read_and_answered_in_its_own_spelling() {
    let query = dns::read(QUERY).unwrap();
    assert_eq!(
        (query.id, query.recursion, query.edns, query.question.kind),
        (0x1234, true, Some(1232), kind::A)
    );
    assert_eq!(query.question.name.to_string(), "wWw.Example.org");
    assert_eq!(query.question.name.host(), Name::new("www.example.org"));
    let name = query.question.name.clone();
    let record = Record { name, kind: kind::A, seconds: 60, data: vec![198, 18, 0, 1] };
    let reply = dns::write(&query, &Reply { code: Code::OK, records: vec![record], blocked: None }, 512);
    let expected = b"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x01\
        \x03wWw\x07Example\x03org\x00\x00\x01\x00\x01\
        \xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc6\x12\x00\x01\
        \x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00";
    assert_eq!(reply, expected);
}

#[test]
fn a_version_of_edns_that_is_not_spoken_is_named() {
    let mut query = QUERY.to_vec();
    query[39] = 1;
    let reply = dns::read(&query).unwrap_err().unwrap();
    // RFC 6891: code 16, of which the upper part stands in the additional record.
    assert_eq!((reply[3] & 0xf, reply[reply.len() - 6]), (0, 1), "{reply:?}");
}

#[test]
fn a_client_gets_as_much_as_it_takes_and_no_more() {
    let query = |edns| Query { id: 1, recursion: true, question: question("example.org", kind::A), edns };
    for (edns, room) in
        [(None, 512), (Some(0), 512), (Some(600), 600), (Some(4096), 4096), (Some(65_535), 4096)]
    {
        let query = query(edns);
        assert_eq!(dns::room(&query), room);
        let record = |data| Record { name: query.question.name.clone(), kind: 16, seconds: 1, data };
        // Header, question, record and what belongs to EDNS.
        let own = 12 + 17 + 12 + if edns.is_some() { 11 } else { 0 };
        let fits = Reply { code: Code::OK, records: vec![record(vec![0; room - own])], blocked: None };
        let reply = dns::write(&query, &fits, room);
        assert_eq!((reply.len(), reply[2] & 2, reply[7]), (room, 0, 1));
        let large = Reply { code: Code::OK, records: vec![record(vec![0; room - own + 1])], blocked: None };
        let reply = dns::write(&query, &large, room);
        assert_eq!((reply.len(), reply[2] & 2, reply[7]), (own - 12, 2, 0));
    }
}

#[test]
fn names_in_answers_may_point_back_and_stand_alone_afterwards() {
    let asked = question("www.example.org", kind::A);
    let mut bytes =
        b"\x00\x07\x81\x80\x00\x01\x00\x04\x00\x01\x00\x00\x03www\x07example\x03org\x00\x00\x01\x00\x01"
            .to_vec();
    bytes.extend_from_slice(b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x06\x03cdn\xc0\x10"); // CNAME cdn.example.org
    bytes.extend_from_slice(b"\xc0\x2d\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x5d\xb8\xd8\x22");
    bytes.extend_from_slice(b"\xc0\x2d\x00\x10\x00\x03\x00\x00\x00\x3c\x00\x02hi"); // class chaos
    bytes.extend_from_slice(b"\xc0\x10\x00\x06\x00\x01\x00\x00\x00\x3c\x00\x1a\x01n\xc0\x10\xc0\x2d");
    bytes.extend_from_slice(&[9; 20]); // the rest of SOA
    bytes.extend_from_slice(b"authority that nobody reads");
    let answer = answer::read(&bytes, 7, &asked).unwrap();
    let all: Vec<_> = answer.records.iter().map(|record| (record.name.to_string(), record.kind)).collect();
    let wanted = [("www.example.org", kind::CNAME), ("cdn.example.org", kind::A), ("example.org", kind::SOA)];
    assert_eq!(all, wanted.map(|(name, kind)| (name.to_owned(), kind)));
    assert_eq!(answer.records[0].data, b"\x03cdn\x07example\x03org\x00");
    assert_eq!(answer.records[1].address(), Some("93.184.216.34".parse().unwrap()));
    let start =
        answer.records[2].data.strip_prefix(b"\x01n\x07example\x03org\x00\x03cdn\x07example\x03org\x00");
    assert_eq!(start, Some(&[9; 20][..]));
    // A pointer forwards or to itself, and an address of another length.
    for (at, byte) in [(0x32, 0x2d), (0x32, 0x31), (0x3e, 5)] {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        assert_eq!(answer::read(&bytes, 7, &asked), None, "byte {at:#x}");
    }
}

#[test]
fn a_name_that_is_no_host_is_printable() {
    let read = |wire: &[u8]| {
        let message = [&QUERY[..12], wire, &[0, 1, 0, 1]].concat();
        dns::read(&{
            let mut message = message;
            message[11] = 0;
            message
        })
        .unwrap()
        .question
        .name
    };
    let name = read(b"\x04a.b`\x03\x1b[m\x02\xc3\xa4\x00");
    assert_eq!((name.to_string().as_str(), name.host()), ("a\\046b\\096.\\027[m.\\195\\164", None));
    let root = read(b"\x00");
    assert_eq!((root.to_string().as_str(), root.host()), (".", None));
    assert_eq!(read(b"\x07exa.ple\x03org\x00").host(), None, "a dot in a label is none between labels");
}

#[test]
fn an_address_that_is_looked_up_backwards_is_understood() {
    let reverse = |text: &str| WireName::of(&Name::new(text).unwrap()).reverse();
    assert_eq!(reverse("34.216.184.93.in-addr.arpa"), Some("93.184.216.34".parse().unwrap()));
    let nibbles = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.1.0.0.2.ip6.arpa";
    assert_eq!(reverse(nibbles), Some("2001:2::1".parse().unwrap()));
    for text in ["216.184.93.in-addr.arpa", "256.1.1.1.in-addr.arpa", "1.2.3.4.in-addr.example", "ip6.arpa"] {
        assert_eq!(reverse(text), None, "{text}");
    }
}

fn wire_name() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 1..=63), 0..5).prop_filter_map(
        "no longer than a name can be",
        |labels| {
            let mut wire: Vec<u8> =
                labels.iter().flat_map(|label| [&[label.len() as u8], label.as_slice()].concat()).collect();
            wire.push(0);
            (wire.len() <= 255).then_some(wire)
        },
    )
}

proptest! {
    #[test]
    fn whatever_comes_is_refused_or_a_lookup(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        match dns::read(&bytes) {
            Ok(query) => prop_assert!(dns::write(&query, &Code::OK.into(), 512).len() <= bytes.len()),
            Err(Some(reply)) => prop_assert!(reply.len() <= bytes.len().max(12) && reply[..2] == bytes[..2]),
            Err(None) => {}
        }
    }

    #[test]
    fn what_is_asked_is_read_as_it_was_meant(wire in wire_name(), kind: u16, id: u16) {
        let bytes = [&[0; 12][..], &wire, &kind.to_be_bytes(), &[0, 1]].concat();
        let mut bytes = bytes;
        bytes[5] = 1;
        let question = dns::read(&bytes).unwrap().question;
        prop_assert_eq!(question.name.bytes(), &wire[..]);
        let query = dns::read(&answer::ask(id, &question)).unwrap();
        prop_assert_eq!((query.id, &query.question, query.edns), (id, &question, Some(1232)));
    }

    #[test]
    fn what_is_answered_is_read_as_it_was_meant(
        wire in wire_name(),
        id: u16,
        data in prop::collection::vec((wire_name(), prop::collection::vec(any::<u8>(), 0..40)), 0..10),
    ) {
        let mut bytes = [&[0; 12][..], &wire, &[0, 16, 0, 1]].concat();
        bytes[5] = 1;
        let question: Question = dns::read(&bytes).unwrap().question;
        let name = |wire: &[u8]| {
            let mut bytes = [&[0; 12][..], wire, &[0, 16, 0, 1]].concat();
            bytes[5] = 1;
            dns::read(&bytes).unwrap().question.name
        };
        let records: Vec<Record> = data
            .into_iter()
            .map(|(owner, data)| Record { name: name(&owner), kind: 16, seconds: 5, data })
            .collect();
        let query = Query { id, recursion: true, question: question.clone(), edns: None };
        let reply = Reply { code: Code::OK, records: records.clone(), blocked: None };
        let answer = answer::read(&dns::write(&query, &reply, 65_535), id, &question).unwrap();
        prop_assert_eq!(answer.records, records);
    }

    #[test]
    fn whatever_a_name_server_says_ends(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let asked = question("a.example", kind::A);
        let mut message = answer::ask(7, &asked);
        message.truncate(message.len() - 11);
        message[2] = 0x81;
        message[7] = 3;
        message[11] = 0;
        message.extend_from_slice(&bytes);
        if let Some(answer) = answer::read(&message, 7, &asked) {
            for record in answer.records {
                prop_assert!(record.data.len() <= message.len() + 2 * 255);
            }
        }
    }
}
