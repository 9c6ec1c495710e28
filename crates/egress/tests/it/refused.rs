//! Connections that are not let through, or come to nothing.

use std::net::SocketAddr;

use egress::wire::dns::kind;
use egress::{Failure, Verdict};
use policy::network::{Kind, Refusal};

use crate::bed::{Bed, allow, hello, hello_with, http, internet, reset, say, some};

const WEB: &str = "93.184.216.34:443";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_greeting_that_does_not_name_its_host_leads_nowhere() {
    let bed = Bed::new(allow(&["example.org", "other.example", "db.example:5432"])).await;
    bed.names.knows("example.org", &["93.184.216.34"]);
    let _server = bed.server(WEB).await;
    let two_hosts = b"GET / HTTP/1.1\r\nHost: example.org\r\nHost: other.example\r\n\r\n".to_vec();
    let cases = [
        (hello(Some("other.example")), Refusal::OtherName),
        (hello(Some("93.184.216.34")), Refusal::OtherName),
        (http("other.example"), Refusal::OtherName),
        (b"GET http://other.example/ HTTP/1.1\r\n\r\n".to_vec(), Refusal::OtherName),
        (hello(None), Refusal::Silent),
        (hello_with(&[]), Refusal::Silent),
        (b"GET / HTTP/1.0\r\n\r\n".to_vec(), Refusal::Silent),
        (b"SSH-2.0-OpenSSH\r\n".to_vec(), Refusal::Silent),
        (b"\0\0\0\x08\x04\xd2\x16\x2f".to_vec(), Refusal::Silent),
        (two_hosts, Refusal::Unclear),
        (b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n".to_vec(), Refusal::Unclear),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), Refusal::Unclear),
        (format!("GET /{}", "a".repeat(17_000)).into_bytes(), Refusal::Unclear),
    ];
    for (greeting, refusal) in cases {
        let mark = bed.egress.mark();
        let mut client = bed.connect_to("example.org", 443).await;
        say(&mut client, &greeting).await;
        reset(&mut client).await;
        assert_eq!(bed.sentences(mark), [format!("`example.org:443` was refused: {refusal}")]);
        let audit = bed.audit(|audit| audit.verdict == Verdict::Refused(refusal)).await;
        assert_eq!(audit.name.as_deref(), Some("example.org"));
    }
    assert_eq!((bed.names.asked().len(), bed.tried().len()), (0, 0), "nothing left");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_or_not_all_is_not_waited_for() {
    let bed = Bed::new(allow(&["example.org"])).await;
    let mut silent = bed.connect_to("example.org", 443).await;
    reset(&mut silent).await;
    let mut half = bed.connect_to("example.org", 443).await;
    say(&mut half, &hello(Some("example.org"))[..40]).await;
    reset(&mut half).await;
    assert_eq!(bed.egress.report().refused, [(Refusal::Silent, 2)]);
}

#[tokio::test]
async fn a_client_that_ends_before_its_greeting_does_is_refused() {
    use tokio::io::AsyncWriteExt;
    let bed = Bed::new(allow(&["example.org"])).await;
    let mut client = bed.connect_to("example.org", 443).await;
    say(&mut client, &hello(Some("example.org"))[..40]).await;
    client.shutdown().await.unwrap();
    reset(&mut client).await;
    assert_eq!(bed.egress.report().refused, [(Refusal::Silent, 1)]);
}

#[tokio::test]
async fn who_only_looks_whether_somebody_listens_is_not_told_of() {
    let bed = Bed::new(allow(&["example.org"])).await;
    drop(bed.connect_to("example.org", 443).await);
    let audit = bed.audit(|_| true).await;
    assert_eq!((audit.verdict, audit.bytes_out), (Verdict::Closed, 0));
    assert_eq!(bed.egress.report().refused, []);
}

#[tokio::test]
async fn a_name_with_a_port_may_be_greeted_by_no_other_name() {
    let bed = Bed::new(allow(&["db.example:443"])).await;
    bed.names.knows("db.example", &["93.184.216.34"]);
    let server = bed.server(WEB).await;
    for (greeting, carried) in [
        (hello(Some("db.example")), true),
        (http("db.example"), true),
        (hello(None), true),
        (hello(Some("other.example")), false),
        (http("other.example"), false),
    ] {
        let mut client = bed.connect_to("db.example", 443).await;
        let (mut served, _) = server.accept().await.unwrap();
        // In two pieces: no byte of a greeting leaves before it is whole.
        let (first, rest) = greeting.split_at(20);
        say(&mut client, first).await;
        say(&mut served, b"x").await;
        some(&mut client, 1).await;
        say(&mut client, rest).await;
        if carried {
            assert_eq!(some(&mut served, greeting.len()).await, greeting);
        } else {
            reset(&mut client).await;
            reset(&mut served).await;
        }
    }
    assert_eq!(bed.egress.report().refused, [(Refusal::OtherName, 2)]);
}

#[tokio::test]
async fn what_is_not_listed_is_not_reached() {
    let bed = Bed::new(allow(&["db.example:5432", "example.org", "93.184.216.34:443"])).await;
    bed.look_up("example.org", kind::A).await;
    let _other = bed.server("93.184.216.35:443").await;
    for (to, sentence) in [
        ("198.18.0.2:443", "`198.18.0.2:443` is not on this session's list"),
        ("198.18.200.1:443", "`198.18.200.1:443` is not on this session's list"),
        ("[2001:2::9]:443", "`[2001:2::9]:443` is not on this session's list"),
        ("93.184.216.35:443", "`93.184.216.35:443` is not on this session's list"),
        ("93.184.216.34:80", "`93.184.216.34:80` is not on this session's list"),
        ("169.254.169.254:80", "`169.254.169.254:80` is not on this session's list"),
        ("198.18.0.1:25", "`example.org:25` was refused: port 25 is closed"),
    ] {
        let mark = bed.egress.mark();
        reset(&mut bed.connect(address(to)).await).await;
        let [said] = &bed.sentences(mark)[..] else { panic!("one sentence for {to}") };
        assert!(said.starts_with(sentence), "{said}");
    }
    let mark = bed.egress.mark();
    reset(&mut bed.connect_to("db.example", 443).await).await;
    let [said] = &bed.sentences(mark)[..] else { panic!("one sentence") };
    assert_eq!(
        said,
        "`db.example:443` was refused: it is on this session's list with another port \
         (the list: db.example:5432, example.org, 93.184.216.34:443)"
    );
    assert_eq!((bed.names.asked().len(), bed.tried().len()), (0, 0));
}

#[tokio::test]
async fn a_listed_name_that_leads_to_what_is_not_public_is_not_reached() {
    let bed = Bed::new(allow(&["*.example.org:443"])).await;
    bed.own("93.184.216.99");
    for (index, (to, refusal)) in [
        ("127.0.0.1", Refusal::Address(Kind::Loopback)),
        ("10.0.0.1", Refusal::Address(Kind::Private)),
        ("169.254.169.254", Refusal::Address(Kind::Metadata)),
        ("::1", Refusal::Address(Kind::Loopback)),
        ("::ffff:169.254.169.254", Refusal::Address(Kind::Translated)),
        ("64:ff9b::a9fe:a9fe", Refusal::Address(Kind::Metadata)),
        ("93.184.216.99", Refusal::Host),
        ("198.18.0.1", Refusal::Address(Kind::Reserved)),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("a{index}.example.org");
        bed.names.knows(&name, &[to]);
        let mark = bed.egress.mark();
        reset(&mut bed.connect_to(&name, 443).await).await;
        assert_eq!(bed.sentences(mark), [format!("`{name}:443` was refused: {refusal}")]);
    }
    assert_eq!(bed.tried(), []);
}

#[tokio::test]
async fn an_answer_that_changes_is_judged_again() {
    let bed = Bed::new(internet()).await;
    bed.own("93.184.216.99");
    bed.names.knows("rebinds.example", &["93.184.216.34"]);
    bed.look_up("rebinds.example", kind::A).await;
    bed.names.forget("rebinds.example");
    bed.names.knows("rebinds.example", &["127.0.0.1"]);
    bed.look_up("rebinds.example", kind::A).await;
    for to in [
        "127.0.0.1:80",
        "10.0.0.1:80",
        "169.254.169.254:80",
        "93.184.216.99:80",
        "93.184.216.34:25",
        "[::1]:80",
    ] {
        reset(&mut bed.connect(address(to)).await).await;
    }
    assert_eq!(bed.tried(), []);
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_so() {
    let bed = Bed::new(allow(&["db.example:5432", "gone.example:1", WEB])).await;
    bed.names.knows("db.example", &["93.184.216.34"]);
    let mark = bed.egress.mark();
    reset(&mut bed.connect_to("db.example", 5432).await).await;
    reset(&mut bed.connect_to("gone.example", 1).await).await;
    reset(&mut bed.connect(address(WEB)).await).await;
    let told = [
        "`db.example:5432` could not be reached: connection refused",
        "`gone.example:1` could not be reached: there is no such name",
        "`93.184.216.34:443` could not be reached: connection refused",
    ];
    assert_eq!(bed.sentences(mark), told);
    assert_eq!(bed.egress.report().failed, [(Failure::Refused, 2), (Failure::Unresolved, 1)]);
    bed.names.breaks();
    let mark = bed.egress.mark();
    reset(&mut bed.connect_to("gone.example", 1).await).await;
    assert_eq!(
        bed.sentences(mark),
        ["`gone.example:1` could not be reached: the name server does not answer"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_address_that_does_not_answer_is_given_up() {
    let bed = Bed::new(allow(&[WEB])).await;
    bed.silent(WEB);
    let mark = bed.egress.mark();
    reset(&mut bed.connect(address(WEB)).await).await;
    assert_eq!(bed.sentences(mark), ["`93.184.216.34:443` could not be reached: connection timed out"]);
}

#[tokio::test]
async fn nobody_comes_to_the_door_by_himself() {
    let bed = Bed::new(internet()).await;
    reset(&mut bed.knock().await).await;
    reset(&mut bed.connect(bed.door()).await).await;
    assert_eq!(bed.tried(), []);
}
