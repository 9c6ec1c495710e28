//! Connections that are let through.

use std::net::SocketAddr;
use std::time::Duration;

use egress::Verdict;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::bed::{Bed, LONG, all, allow, hello, http, internet, reset, say, some, until};

const PUBLIC: &str = "93.184.216.34";
const WEB: &str = "93.184.216.34:443";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_greeting_that_names_its_host_is_carried_and_nothing_leaves_before() {
    for greeting in [hello(Some("example.org")), hello(Some("Example.ORG")), http("example.org:443")] {
        let bed = Bed::new(allow(&["example.org"])).await;
        bed.names.knows("example.org", &[PUBLIC]);
        let server = bed.server(WEB).await;
        let mut client = bed.connect_to("example.org", 443).await;
        let (first, rest) = greeting.split_at(greeting.len() - 1);
        say(&mut client, first).await;
        until(|| (bed.egress.report().bytes_out == first.len() as u64).then_some(())).await;
        assert_eq!((bed.names.asked().len(), bed.tried().len()), (0, 0), "not even a lookup");
        say(&mut client, rest).await;
        let (mut served, _) = server.accept().await.unwrap();
        assert_eq!(some(&mut served, greeting.len()).await, greeting);
        assert_eq!(bed.tried(), [address(WEB)]);
        // Each side ends by itself.
        say(&mut served, b"answer").await;
        served.shutdown().await.unwrap();
        assert_eq!(all(&mut client).await, b"answer");
        say(&mut client, b"more").await;
        client.shutdown().await.unwrap();
        assert_eq!(all(&mut served).await, b"more");
        let audit = bed.audit(|_| true).await;
        assert_eq!(audit.verdict, Verdict::Closed);
        assert_eq!((audit.bytes_out, audit.bytes_in), (greeting.len() as u64 + 4, 6));
        assert_eq!(audit.name.as_deref(), Some("example.org"));
        let report = bed.egress.report();
        assert_eq!(report.names, [("example.org:443".to_owned(), 1)]);
        assert_eq!((report.connections, report.open, report.bytes_in), (1, 0, 6));
        assert_eq!((report.refused, report.failed), (vec![], vec![]));
    }
}

#[tokio::test]
async fn a_server_that_speaks_first_is_reached_by_its_port() {
    let bed = Bed::new(allow(&["db.example:5432"])).await;
    bed.names.knows("db.example", &[PUBLIC]);
    let server = bed.server("93.184.216.34:5432").await;
    let mut client = bed.connect_to("db.example", 5432).await;
    let (mut served, _) = server.accept().await.unwrap();
    say(&mut served, b"welcome").await;
    assert_eq!(some(&mut client, 7).await, b"welcome");
    // What is no greeting goes on as it comes; so does what comes behind it.
    say(&mut client, b"EHLO me\r\n").await;
    assert_eq!(some(&mut served, 9).await, b"EHLO me\r\n");
    say(&mut client, &http("another.example")).await;
    assert_eq!(some(&mut served, 5).await, b"GET /");
}

#[tokio::test]
async fn a_client_that_only_listens_is_carried_to_its_end() {
    let bed = Bed::new(allow(&["db.example:5432"])).await;
    bed.names.knows("db.example", &[PUBLIC]);
    let server = bed.server("93.184.216.34:5432").await;
    let mut client = bed.connect_to("db.example", 5432).await;
    let (mut served, _) = server.accept().await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(all(&mut served).await, b"");
    say(&mut served, b"the time").await;
    drop(served);
    assert_eq!(all(&mut client).await, b"the time");
}

#[tokio::test]
async fn the_internet_is_reached_by_address_and_told_by_name() {
    let bed = Bed::new(internet()).await;
    bed.names.knows("example.org", &[PUBLIC]);
    let server = bed.server("93.184.216.34:22").await;
    bed.look_up("example.org", egress::wire::dns::kind::A).await;
    let mut client = bed.connect(address("93.184.216.34:22")).await;
    let (mut served, _) = server.accept().await.unwrap();
    say(&mut served, b"SSH-2.0").await;
    assert_eq!(some(&mut client, 7).await, b"SSH-2.0");
    assert_eq!(bed.egress.report().names, [("example.org:22".to_owned(), 1)]);
}

#[tokio::test]
async fn private_addresses_are_reached_where_they_were_opened() {
    let mut network = allow(&["db.example:5432"]);
    network.open_private = vec!["10.1.2.3:5432".parse().unwrap(), "10.9.0.0/16".parse().unwrap()];
    let bed = Bed::new(network).await;
    bed.own("10.9.0.1");
    bed.own("10.1.2.3");
    bed.names.knows("db.example", &["10.1.2.3"]);
    let by_both = bed.server("10.1.2.3:5432").await;
    let _client = bed.connect_to("db.example", 5432).await;
    by_both.accept().await.unwrap();
    let _client = bed.connect(address("10.1.2.3:5432")).await;
    by_both.accept().await.unwrap();
    let in_range = bed.server("10.9.0.2:80").await;
    let _client = bed.connect(address("10.9.0.2:80")).await;
    in_range.accept().await.unwrap();
    // A range that was opened does not open the host, which has an address in it.
    let mark = bed.egress.mark();
    reset(&mut bed.connect(address("10.9.0.1:22")).await).await;
    assert_eq!(bed.sentences(mark), ["`10.9.0.1:22` was refused: it is an address of the host"]);
}

#[tokio::test]
async fn a_name_is_reached_at_the_address_that_answers() {
    let bed = Bed::new(allow(&["example.org:443"])).await;
    bed.names.knows("example.org", &["10.0.0.1", "93.184.216.1", "93.184.216.2", "2606:4700::1"]);
    bed.silent("93.184.216.1:443");
    let server = bed.server("93.184.216.2:443").await;
    let _client = bed.connect_to("example.org", 443).await;
    server.accept().await.unwrap();
    // The private one is not tried; the family that the client chose comes first.
    let tried = ["93.184.216.1:443", "[2606:4700::1]:443", "93.184.216.2:443"].map(address);
    assert_eq!(bed.tried(), tried);
}

#[tokio::test]
async fn a_name_server_that_knows_one_family_only_is_not_waited_for_long() {
    let bed = Bed::new(allow(&["example.org:443"])).await;
    bed.names.knows("example.org", &[PUBLIC]);
    bed.names.is_mute_about(egress::wire::dns::kind::AAAA);
    let server = bed.server(WEB).await;
    let _client = bed.connect_to("example.org", 443).await;
    server.accept().await.unwrap();
    let asked = bed.names.asked();
    assert_eq!(asked.len(), 2, "it was not asked again for what it does not answer: {asked:?}");
}

#[tokio::test]
async fn a_name_is_resolved_once_for_many_connections() {
    let bed = Bed::new(allow(&["example.org:443"])).await;
    bed.names.knows("example.org", &[PUBLIC]);
    let server = bed.server(WEB).await;
    for _ in 0..5 {
        let _client = bed.connect_to("example.org", 443).await;
        server.accept().await.unwrap();
    }
    assert_eq!(bed.names.asked().len(), 2, "once for each family");
}

/// Bytes that are not the same everywhere.
fn pattern(length: usize, seed: u32) -> Vec<u8> {
    (0..length as u32).map(|at| (at.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 13) as u8).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn much_is_carried_both_ways_and_whole_though_readers_are_slow() {
    let bed = Bed::new(internet()).await;
    let server = bed.server(WEB).await;
    let client = bed.connect(address(WEB)).await;
    let (served, _) = server.accept().await.unwrap();
    let (up, down) = (pattern(9_000_001, 1), pattern(7_000_003, 2));
    let (mut from_client, mut to_server) = client.into_split();
    let (mut from_server, mut to_client) = served.into_split();
    let send_up = async {
        to_server.write_all(&up).await.unwrap();
        to_server.shutdown().await.unwrap();
    };
    let send_down = async {
        to_client.write_all(&down).await.unwrap();
        to_client.shutdown().await.unwrap();
    };
    let receive_up = async {
        // It lets everything fill up before it reads.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut bytes = Vec::new();
        from_server.read_to_end(&mut bytes).await.unwrap();
        bytes
    };
    let receive_down = async {
        let mut bytes = Vec::new();
        from_client.read_to_end(&mut bytes).await.unwrap();
        bytes
    };
    let all = async { tokio::join!(send_up, send_down, receive_up, receive_down) };
    let ((), (), came_up, came_down) = tokio::time::timeout(LONG, all).await.unwrap();
    assert!(came_up == up && came_down == down);
    let audit = bed.audit(|_| true).await;
    assert_eq!((audit.bytes_out, audit.bytes_in), (up.len() as u64, down.len() as u64));
}

#[tokio::test]
async fn a_reset_is_carried_as_one() {
    let bed = Bed::new(internet()).await;
    let server = bed.server(WEB).await;
    let mut client = bed.connect(address(WEB)).await;
    let (served, _) = server.accept().await.unwrap();
    served.set_zero_linger().unwrap();
    drop(served);
    reset(&mut client).await;
    let client = bed.connect(address(WEB)).await;
    let (mut served, _) = server.accept().await.unwrap();
    client.set_zero_linger().unwrap();
    drop(client);
    reset(&mut served).await;
    bed.audit(|audit| audit.verdict == Verdict::Reset).await;
}

/// Two connections, one carried and one that waits for its greeting.
async fn two(bed: &Bed, server: &TcpListener) -> [tokio::net::TcpStream; 3] {
    let client = bed.connect(address(WEB)).await;
    let (served, _) = server.accept().await.unwrap();
    let waiting = bed.connect_to("example.org", 443).await;
    until(|| (bed.egress.report().open == 2).then_some(())).await;
    [client, served, waiting]
}

#[tokio::test]
async fn with_the_way_out_all_connections_end() {
    let bed = Bed::new(allow(&["example.org", WEB])).await;
    let server = bed.server(WEB).await;
    let streams = two(&bed, &server).await;
    drop(bed.egress);
    for mut stream in streams {
        reset(&mut stream).await;
    }
}

#[tokio::test]
async fn when_it_is_closed_nothing_is_left() {
    let bed = Bed::new(allow(&["example.org", WEB])).await;
    let server = bed.server(WEB).await;
    let (door, lookups, audits) = (bed.door(), bed.lookups(), bed.told());
    let [_client, served, _waiting] = two(&bed, &server).await;
    bed.egress.close().await;
    // Each connection's line is told by the task of the connection, which is over.
    let verdicts: Vec<_> = audits.lock().unwrap().iter().map(|audit| audit.verdict).collect();
    assert_eq!(verdicts, [Verdict::Cut, Verdict::Cut]);
    std::net::TcpListener::bind(door).expect("the door is nobody's");
    std::net::UdpSocket::bind(lookups).expect("the other door is nobody's");
    drop(served);
}
