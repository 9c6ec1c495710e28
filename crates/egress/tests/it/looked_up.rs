//! Lookups of a cell.

use egress::wire::answer;
use egress::wire::dns::{Code, Record, kind};
use policy::network::{Rates, Refusal, SYNTHETIC_V4, SYNTHETIC_V6};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::bed::{Bed, allow, internet, question};
use crate::name_server::wire;

const TXT: u16 = 16;
const NULL: u16 = 10;
const ANY: u16 = 255;

#[tokio::test]
async fn a_listed_name_has_one_address_of_each_family_and_nothing_else() {
    let bed = Bed::new(allow(&["example.org", "*.data.example"])).await;
    let first = bed.look_up("example.org", kind::A).await;
    assert_eq!(first, bed.look_up("EXAMPLE.org.", kind::A).await);
    let [record] = first.records.as_slice() else { panic!("one address: {first:?}") };
    assert!(SYNTHETIC_V4.contains(record.address().unwrap()));
    assert!(record.seconds <= 60, "{record:?}");
    let v6 = bed.look_up("example.org", kind::AAAA).await;
    assert!(SYNTHETIC_V6.contains(v6.records[0].address().unwrap()));
    let other = bed.look_up("a.data.example", kind::A).await;
    assert_ne!(other.records[0].address(), record.address());
    for kind in [TXT, NULL, kind::MX, kind::HTTPS, kind::SVCB, ANY, kind::SRV, kind::CNAME, 65_399] {
        let answer = bed.look_up("example.org", kind).await;
        assert_eq!((answer.code, answer.records.len()), (Code::OK, 0), "type {kind}");
    }
    assert_eq!(bed.names.asked(), []);
    assert_eq!(bed.egress.report().lookups, 13);
}

#[tokio::test]
async fn a_name_that_is_not_listed_does_not_exist_and_nobody_is_asked() {
    let bed = Bed::new(allow(&["example.org", "*.data.example"])).await;
    let mark = bed.egress.mark();
    for kind in [kind::A, kind::AAAA, TXT, NULL, kind::HTTPS] {
        assert_eq!(bed.look_up("secret.evil.example", kind).await.code, Code::NO_NAME);
    }
    assert_eq!(bed.names.asked(), []);
    let sentence =
        "`secret.evil.example` is not on this session's list (the list: example.org, *.data.example)";
    assert_eq!(bed.sentences(mark), [sentence]);
    assert_eq!(bed.egress.since(mark)[0].count, 5);
    assert_eq!(bed.egress.since(bed.egress.mark()), []);
    assert_eq!(bed.egress.report().refused, [(Refusal::NotListed, 5)]);
    let later = bed.egress.mark();
    bed.look_up("secret.evil.example", kind::A).await;
    assert_eq!(bed.sentences(later), [sentence], "what happens again is told again");
}

#[tokio::test]
async fn a_client_that_speaks_edns_is_told_why() {
    let bed = Bed::new(allow(&["example.org"])).await;
    let asked = answer::ask(7, &question("evil.example", kind::A));
    let reply = bed.send(&asked).await;
    // Option 15 (RFC 8914), code 15: blocked.
    let told = b"\x00\x0f\x00\x22\x00\x0fit is not on this session's list";
    assert!(reply.windows(told.len()).any(|part| part == told), "{reply:?}");
    // Without EDNS, a plain answer.
    let mut plain = asked[..asked.len() - 11].to_vec();
    plain[11] = 0;
    let reply = bed.send(&plain).await;
    assert_eq!((reply.len(), reply[3] & 0xf), (plain.len(), 3), "{reply:?}");
}

#[tokio::test]
async fn an_address_that_stands_for_a_name_is_called_so() {
    let bed = Bed::new(allow(&["example.org"])).await;
    bed.look_up("example.org", kind::A).await;
    let answer = bed.look_up("1.0.18.198.in-addr.arpa", kind::PTR).await;
    assert_eq!(answer.records[0].data, wire("example.org"));
    for name in ["2.0.18.198.in-addr.arpa", "1.1.1.10.in-addr.arpa", "0.0.18.198.in-addr.arpa"] {
        assert_eq!(bed.look_up(name, kind::PTR).await.code, Code::NO_NAME, "{name}");
    }
}

#[tokio::test]
async fn names_have_a_most() {
    let bed = Bed::new(allow(&["*.example.org"])).await;
    for index in 0..4096 {
        let answer = bed.look_up(&format!("a{index}.example.org"), kind::A).await;
        assert_eq!(answer.records.len(), 1, "{index}");
    }
    assert_eq!(bed.look_up("more.example.org", kind::A).await.code, Code::REFUSED);
    assert_eq!(bed.look_up("a0.example.org", kind::A).await.records.len(), 1);
    assert_eq!(bed.egress.report().refused, [(Refusal::Names, 1)]);
}

#[tokio::test]
async fn what_is_no_lookup_is_answered_so_or_not_at_all() {
    let bed = Bed::new(allow(&["example.org"])).await;
    let good = answer::ask(7, &question("example.org", kind::A));
    let with = |change: fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        bytes
    };
    let cases = [
        ("two questions", with(|bytes| bytes[5] = 2), 1),
        ("no question", with(|bytes| bytes[5] = 0), 1),
        ("an answer in it", with(|bytes| bytes[7] = 1), 1),
        ("an update", with(|bytes| bytes[2] = 5 << 3), 4),
        ("class chaos", with(|bytes| bytes[28] = 3), 5),
        ("something behind", with(|bytes| bytes.push(0)), 1),
        ("cut off", with(|bytes| bytes.truncate(20)), 1),
        ("a pointer to itself", with(|bytes| bytes[12..14].copy_from_slice(&[0xc0, 12])), 1),
        ("another version of EDNS", with(|bytes| *bytes.iter_mut().nth_back(4).unwrap() = 1), 0),
    ];
    for (what, bytes, code) in cases {
        let reply = bed.send(&bytes).await;
        assert_eq!((&reply[..2], reply[2] >> 7, reply[3] & 0xf), (&bytes[..2], 1, code), "{what}");
    }
    // Answers, and what is too short, get no answer: the next lookup's is the first that comes.
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(bed.lookups()).await.unwrap();
    socket.send(&with(|bytes| bytes[2] |= 0x80)).await.unwrap();
    socket.send(&good[..3]).await.unwrap();
    socket.send(&[]).await.unwrap();
    socket.send(&with(|bytes| bytes[1] = 99)).await.unwrap();
    let mut reply = [0; 512];
    socket.recv(&mut reply).await.unwrap();
    assert_eq!(reply[1], 99);
}

#[tokio::test]
async fn the_internet_answers_what_is_public() {
    let bed = Bed::new(internet()).await;
    bed.own("203.1.113.7");
    bed.names.knows("public.example", &["93.184.216.34", "2606:4700::1111"]);
    bed.names.knows("mixed.example", &["10.0.0.1", "93.184.216.35", "127.0.0.1"]);
    let answer = bed.look_up("public.example", kind::A).await;
    assert_eq!(answer.records[0].address(), Some("93.184.216.34".parse().unwrap()));
    let answer = bed.look_up("public.example", kind::AAAA).await;
    assert_eq!(answer.records[0].address(), Some("2606:4700::1111".parse().unwrap()));
    let answer = bed.look_up("mixed.example", kind::A).await;
    let addresses: Vec<_> = answer.records.iter().filter_map(Record::address).collect();
    assert_eq!(addresses, ["93.184.216.35".parse::<std::net::IpAddr>().unwrap()]);
    for (name, address, refusal) in [
        ("a.example", "127.0.0.1", "it is the loopback address"),
        ("b.example", "10.0.0.1", "it is a private address"),
        ("c.example", "169.254.169.254", "it is a metadata service"),
        ("d.example", "::ffff:169.254.169.254", "it is a translated form of another address"),
        ("e.example", "203.1.113.7", "it is an address of the host"),
    ] {
        bed.names.knows(name, &[address]);
        let kind = if address.contains(':') { kind::AAAA } else { kind::A };
        let mark = bed.egress.mark();
        let answer = bed.look_up(name, kind).await;
        assert_eq!((answer.code, answer.records.len()), (Code::OK, 0), "{name}");
        assert_eq!(bed.sentences(mark), [format!("`{name}` was refused: {refusal}")]);
    }
}

#[tokio::test]
async fn the_internet_keeps_records_whole_and_drops_those_that_lead_past_a_name() {
    let bed = Bed::new(internet()).await;
    bed.names.record("www.example", kind::CNAME, &wire("public.example"));
    bed.names.record("www.example", kind::A, &[93, 184, 216, 34]);
    bed.names.record("www.example", TXT, b"\x05hello");
    bed.names.record("www.example", kind::HTTPS, b"\x00\x01\x00");
    bed.names.record("www.example", kind::MX, &[&[0, 10], wire("mail.example").as_slice()].concat());
    let kinds = |answer: egress::wire::answer::Answer| -> Vec<u16> {
        answer.records.iter().map(|record| record.kind).collect()
    };
    assert_eq!(kinds(bed.look_up("www.example", kind::A).await), [kind::CNAME, kind::A]);
    let text = bed.look_up("www.example", TXT).await;
    assert_eq!(text.records[1].data, b"\x05hello");
    let mail = bed.look_up("www.example", kind::MX).await;
    assert_eq!(mail.records[1].data[2..], wire("mail.example"));
    let asked = bed.names.asked().len();
    for kind in [kind::HTTPS, kind::SVCB] {
        let answer = bed.look_up("www.example", kind).await;
        assert_eq!((answer.code, answer.records.len()), (Code::OK, 0));
    }
    for kind in [ANY, 252, 251, 250] {
        assert_eq!(bed.look_up("www.example", kind).await.code, Code::REFUSED, "type {kind}");
    }
    for name in ["1.0.0.10.in-addr.arpa", "254.169.254.169.in-addr.arpa"] {
        assert_eq!(bed.look_up(name, kind::PTR).await.code, Code::NO_NAME);
    }
    assert_eq!(bed.names.asked().len(), asked, "nobody is asked for these");
    assert_eq!(bed.look_up("nobody.example", kind::A).await.code, Code::NO_NAME);
    bed.names.breaks();
    assert_eq!(bed.look_up("www.example", kind::A).await.code, Code::FAILED);
}

#[tokio::test]
async fn only_the_answer_to_the_question_is_believed() {
    let bed = Bed::new(internet()).await;
    bed.names.knows("public.example", &["93.184.216.34"]);
    bed.names.before(|asked| {
        // As an answer with another address: under another id, to another question, and as a question.
        let forge = |change: fn(&mut Vec<u8>)| {
            let mut bytes = asked[..asked.len() - 11].to_vec();
            bytes[2] = 0x81;
            bytes[7] = 1;
            bytes[11] = 0;
            bytes.extend_from_slice(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x01\x02\x03\x04");
            change(&mut bytes);
            bytes
        };
        vec![
            forge(|bytes| bytes[0] ^= 1),
            forge(|bytes| bytes[13] = b'q'),
            forge(|bytes| bytes[2] = 0x01),
            forge(|bytes| bytes.truncate(30)),
            Vec::new(),
        ]
    });
    let answer = bed.look_up("public.example", kind::A).await;
    assert_eq!(answer.records[0].address(), Some("93.184.216.34".parse().unwrap()));
}

#[tokio::test]
async fn what_is_too_large_for_a_packet_comes_over_a_connection() {
    let bed = Bed::new(internet()).await;
    for index in 0..200 {
        bed.names.record("large.example", TXT, &[&[200_u8][..], &[index; 200]].concat());
    }
    let answer = bed.look_up("large.example", TXT).await;
    assert!(answer.cut && answer.records.is_empty(), "{answer:?}");
    assert_eq!(bed.names.over_streams(), 1);
    let question = question("large.example", TXT);
    let mut stream = bed.connect("198.51.100.53:53".parse().unwrap()).await;
    // Several on one connection, and in pieces.
    for id in [1, 2] {
        let asked = answer::ask(id, &question);
        stream.write_u8(0).await.unwrap();
        stream.write_u8(asked.len() as u8).await.unwrap();
        stream.write_all(&asked).await.unwrap();
        let mut reply = vec![0; stream.read_u16().await.unwrap().into()];
        stream.read_exact(&mut reply).await.unwrap();
        assert_eq!(answer::read(&reply, id, &question).unwrap().records.len(), 200);
    }
    // The server that a cell is told of is on its own loopback.
    let mut stream = bed.connect("127.0.0.1:53".parse().unwrap()).await;
    let asked = answer::ask(3, &question);
    stream.write_u16(asked.len() as u16).await.unwrap();
    stream.write_all(&asked).await.unwrap();
    assert!(stream.read_u16().await.unwrap() > 40_000);
    assert_eq!(bed.tried(), [], "port 53 of nobody is connected to");
}

#[tokio::test]
async fn lookups_have_a_rate() {
    let mut network = allow(&["example.org"]);
    network.limits = Rates { lookups_per_second: 1, ..network.limits };
    let bed = Bed::new(network).await;
    let mut refused = 0;
    for _ in 0..20 {
        refused += usize::from(bed.look_up("example.org", kind::A).await.code == Code::REFUSED);
    }
    assert!((10..=16).contains(&refused), "{refused}");
    let report = bed.egress.report();
    assert_eq!(report.refused, [(Refusal::Rate, refused as u64)]);
}
