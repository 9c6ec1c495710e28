//! Whom a greeting names: real ones, crooked ones, and whatever else may come.

use egress::wire::greeting::{Greeting, LONGEST, read};
use proptest::prelude::*;

use crate::bed::{hello, hello_with, http};

fn host(name: &str) -> Greeting {
    Greeting::Host(name.to_owned())
}

/// What OpenSSL 3 sends to `pypi.org`.
const OPENSSL: &[u8] = include_bytes!("openssl.hello");

#[test]
fn a_real_greeting_is_understood_when_it_is_whole() {
    assert_eq!(read(OPENSSL), host("pypi.org"));
    for end in 0..OPENSSL.len() {
        assert_eq!(read(&OPENSSL[..end]), Greeting::More, "the first {end} bytes");
    }
}

#[test]
fn a_greeting_may_come_in_several_records() {
    let whole = hello(Some("example.org"));
    for cut in 1..whole.len() - 5 - 1 {
        let (first, rest) = whole[5..].split_at(cut);
        let mut bytes = Vec::new();
        for part in [first, rest] {
            bytes.extend_from_slice(&[22, 3, 1]);
            bytes.extend_from_slice(&(part.len() as u16).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        assert_eq!(read(&bytes), host("example.org"), "cut at {cut}");
        // What is between them must be more of the same.
        bytes[5 + cut] = 21;
        assert_eq!(read(&bytes), Greeting::Unclear, "cut at {cut}");
    }
}

#[test]
fn crooked_greetings_of_tls_are_not_guessed_at() {
    let name = |host: &[u8]| {
        let length = host.len() as u16;
        let mut extension = Vec::new();
        for value in [0, length + 5, length + 3] {
            extension.extend_from_slice(&value.to_be_bytes());
        }
        extension.push(0);
        extension.extend_from_slice(&length.to_be_bytes());
        extension.extend_from_slice(host);
        extension
    };
    let good = name(b"a.example");
    assert_eq!(read(&hello_with(&good)), host("a.example"));
    let change = |at: usize, byte: u8| {
        let mut extension = good.clone();
        extension[at] = byte;
        hello_with(&extension)
    };
    let trailing = {
        let mut bytes = hello_with(&good);
        bytes.push(0);
        bytes[4] += 1;
        bytes
    };
    for (what, bytes) in [
        ("two names", hello_with(&[good.clone(), name(b"b.example")].concat())),
        ("another type of name", change(6, 1)),
        ("a list that is too long", change(5, 99)),
        ("a list that is too short", change(5, 11)),
        ("a name that is too long", change(8, 10)),
        ("an extension that is too long", change(3, 99)),
        ("no text", hello_with(&name(b"a.\xffxample"))),
        ("a zero byte", hello_with(&name(b"a.example\0b"))),
        ("a space", hello_with(&name(b"a.example b"))),
        ("an empty list", hello_with(&[0, 0, 0, 2, 0, 0])),
        ("bytes behind", trailing),
        ("another message", [&[22, 3, 1, 0, 4, 2, 0, 0, 0][..], &hello_with(&good)].concat()),
        ("an empty record", [&[22, 3, 1, 0, 0][..], &hello_with(&good)].concat()),
        ("a record of another type", [&[22, 3, 1, 0, 1, 1, 20, 3, 1, 0, 1, 1][..]].concat()),
        ("a record that is too long", vec![22, 3, 1, 0x40, 1]),
    ] {
        assert_eq!(read(&bytes), Greeting::Unclear, "{what}");
    }
    assert_eq!(read(&hello(None)), Greeting::Nameless);
    assert_eq!(read(b"\x16\x02\x01"), Greeting::Nameless);
    let endless = [&[22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff][..], &[0; LONGEST]].concat();
    assert_eq!(read(&endless[..LONGEST]), Greeting::Unclear);
}

#[test]
fn a_request_names_its_host() {
    for (text, name) in [
        ("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", "example.org"),
        ("GET / HTTP/1.1\r\nhOsT:example.org:8080  \r\n\r\nbody\n\n", "example.org"),
        ("POST /x?y HTTP/1.0\r\nA: bä\r\nHost:\texample.org\r\nC:\r\n\r\n", "example.org"),
        ("GET http://example.org:80/x HTTP/1.1\r\nHost: EXAMPLE.org\r\n\r\n", "example.org"),
        ("GET HTTPS://example.org HTTP/1.1\r\n\r\n", "example.org"),
        ("OPTIONS * HTTP/1.1\r\nHost: example.org\r\n\r\n", "example.org"),
        ("GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", "10.0.0.1"),
    ] {
        let Greeting::Host(found) = read(text.as_bytes()) else { panic!("{text:?}") };
        assert!(found.eq_ignore_ascii_case(name), "{text:?}");
    }
}

#[test]
fn crooked_requests_are_not_guessed_at() {
    for text in [
        "GET / HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.example\r\n Host: b.example\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: a.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.example\n\r\n\r\n",
        "GET / HTTP/1.1\r\nX: y\nHost: a.example\r\n\r\n",
        "GET / HTTP/1.1\nHost: a.example\r\n\r\n",
        "GET / HTTP/1.1\r\nX: y\rHost: b.example\r\nHost: a.example\r\n\r\n",
        "GET / HTTP/1.1\r\nX: y\0\r\nHost: a.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.example, b.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.example b.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: me@a.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.example:b.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\nHost: a.example\r\n\r\n",
        "GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n",
        "GET http://me@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET ftp://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n",
        "GET a.example HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET\t/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET / x HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: a.example\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: a.example\r\n\r\n",
        "GET / http/1.1\r\nHost: a.example\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        assert_eq!(read(text.as_bytes()), Greeting::Unclear, "{text:?}");
    }
}

#[test]
fn other_protocols_are_known_by_their_first_line() {
    for bytes in [
        &b"EHLO example.org\r\n"[..],
        b"USER anonymous\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"GET /\r\n",
        b"AMQP\0\0\x09\x01",
        b"0032git-upload-pack /x\0host=example.org\0",
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        b"\r\nGET / HTTP/1.1\r\n",
        b" GET",
        b"\xffSMB",
        b"PING",
        b"hello",
        b"get / HTTP/1.1\r\n",
        b"FOO / HTTP/1.1\r\n",
        b"GETS / HTTP/1.1\r\n",
    ] {
        assert_eq!(read(bytes), Greeting::Nameless, "{bytes:?}");
    }
    for bytes in
        [&b""[..], b"G", b"GET /", b"GET / HTTP/1.1\r\nHost: a.example\r\n", b"PRO", b"\x16", b"\x16\x03"]
    {
        assert_eq!(read(bytes), Greeting::More, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn what_is_said_so_far_is_never_taken_back(
        name in "[a-z]{1,10}(\\.[a-z]{1,10}){1,3}",
        tls: bool,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let mut bytes = if tls { hello(Some(&name)) } else { http(&name) };
        if flips.is_empty() {
            prop_assert_eq!(read(&bytes), host(&name));
        }
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        // More bytes change nothing about what was said: the same is decided however it was cut to pieces.
        let whole = read(&bytes);
        let first = (0..=bytes.len()).map(|end| read(&bytes[..end])).find(|said| *said != Greeting::More);
        prop_assert_eq!(first.unwrap_or(Greeting::More), whole);
    }

    #[test]
    fn whatever_comes_is_decided_within_the_longest(
        bytes in prop::collection::vec(any::<u8>(), 0..400), begin in 0..3_usize
    ) {
        let begin: &[u8] = [&b""[..], b"\x16\x03\x01", b"GET / HTTP/1.1\r\n"][begin];
        let mut bytes = [begin, &bytes].concat();
        let _ = read(&bytes);
        bytes.resize(LONGEST, b'a');
        prop_assert_ne!(read(&bytes), Greeting::More);
    }
}
