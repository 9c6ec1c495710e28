//! How much a session may do.

use std::net::SocketAddr;

use egress::Verdict;
use policy::network::{Rates, Refusal};

use crate::bed::{Bed, allow, internet, reset, say, some};

const WEB: &str = "93.184.216.34:443";

fn to() -> SocketAddr {
    WEB.parse().unwrap()
}

#[tokio::test]
async fn connections_have_a_most_and_one_that_ends_makes_room() {
    let mut network = internet();
    network.limits.connections = 2;
    let bed = Bed::new(network).await;
    let server = bed.server(WEB).await;
    let first = bed.connect(to()).await;
    let (served, _) = server.accept().await.unwrap();
    let _second = bed.connect(to()).await;
    server.accept().await.unwrap();
    let mark = bed.egress.mark();
    reset(&mut bed.connect(to()).await).await;
    assert_eq!(
        bed.sentences(mark),
        ["`93.184.216.34:443` was refused: there are too many connections or lookups"]
    );
    drop((first, served));
    bed.audit(|audit| audit.verdict == Verdict::Closed).await;
    let _third = bed.connect(to()).await;
    server.accept().await.unwrap();
    assert_eq!(bed.egress.report().connections, 4);
}

#[tokio::test]
async fn connections_have_a_rate() {
    let mut network = internet();
    network.limits.connections_per_second = 1;
    let bed = Bed::new(network).await;
    let server = bed.server(WEB).await;
    for _ in 0..4 {
        let _client = bed.connect(to()).await;
        server.accept().await.unwrap();
    }
    let mut refused = bed.connect(to()).await;
    reset(&mut refused).await;
    assert_eq!(bed.egress.report().refused, [(Refusal::Rate, 1)]);
}

#[tokio::test]
async fn when_the_bytes_are_used_up_everything_ends() {
    let mut network = internet();
    network.limits = Rates { bytes: 100, ..network.limits };
    let bed = Bed::new(network).await;
    let server = bed.server(WEB).await;
    let mut idle = bed.connect(to()).await;
    let (mut idle_served, _) = server.accept().await.unwrap();
    let mut busy = bed.connect(to()).await;
    let (mut busy_served, _) = server.accept().await.unwrap();
    say(&mut busy, &[1; 60]).await;
    some(&mut busy_served, 60).await;
    say(&mut busy_served, &[1; 40]).await;
    some(&mut busy, 40).await;
    let mark = bed.egress.mark();
    say(&mut busy, &[1]).await;
    for stream in [&mut busy, &mut busy_served, &mut idle, &mut idle_served] {
        reset(stream).await;
    }
    assert_eq!(bed.sentences(mark), ["`93.184.216.34:443` was refused: this session has used up its bytes"]);
    let report = bed.egress.report();
    assert_eq!((report.bytes_out, report.bytes_in), (60, 40));
    reset(&mut bed.connect(to()).await).await;
    let answer = bed.look_up("example.org", egress::wire::dns::kind::A).await;
    assert_eq!(answer.code, egress::wire::dns::Code::REFUSED);
    assert_eq!(bed.names.asked(), []);
}

#[tokio::test]
async fn names_that_do_not_exist_are_not_asked_for_without_end() {
    let bed = Bed::new(allow(&["*.example.org:443", "sure.example.org:443", "*.other.example:443"])).await;
    bed.names.knows("known.example.org", &["93.184.216.34"]);
    bed.names.knows("late.example.org", &["93.184.216.34"]);
    bed.names.knows("sure.example.org", &["93.184.216.34"]);
    let server = bed.server(WEB).await;
    let _client = bed.connect_to("known.example.org", 443).await;
    server.accept().await.unwrap();
    for index in 0..40 {
        reset(&mut bed.connect_to(&format!("secret{index}.example.org"), 443).await).await;
    }
    reset(&mut bed.connect_to("late.example.org", 443).await).await;
    // Each of them was asked for once, in each family.
    let asked = bed.names.asked();
    let secrets: Vec<_> = asked.iter().filter(|(name, _)| name.starts_with("secret")).collect();
    assert_eq!(secrets.len(), 2 * 16, "{secrets:?}");
    assert!(!asked.iter().any(|(name, _)| name.starts_with("late")));
    let refused = bed.egress.report().refused;
    assert_eq!(refused, [(Refusal::Unresolved, 40 - 16 + 1)]);
    // What is known, what is listed by itself, and what is below another name goes on.
    for name in ["known.example.org", "sure.example.org"] {
        let _client = bed.connect_to(name, 443).await;
        server.accept().await.unwrap();
    }
    reset(&mut bed.connect_to("secret.other.example", 443).await).await;
    assert_eq!(bed.egress.report().refused, refused);
}

#[tokio::test]
async fn what_is_told_has_a_most() {
    let bed = Bed::new(allow(&["example.org"])).await;
    let mark = bed.egress.mark();
    for index in 0..200 {
        bed.look_up(&format!("a{index}.example"), egress::wire::dns::kind::A).await;
    }
    let told = bed.sentences(mark);
    assert_eq!(told.len(), 64);
    assert!(told[63].starts_with("`a199.example`") && told[0].starts_with("`a136.example`"), "{told:?}");
}

#[tokio::test]
async fn of_refusals_without_end_most_are_only_counted() {
    let bed = Bed::new(allow(&["example.org"])).await;
    for number in 0..300 {
        bed.look_up(&format!("n{number}.unlisted.example"), egress::wire::dns::kind::A).await;
    }
    let report = bed.egress.report();
    let refused: u64 = report.refused.iter().map(|(_, count)| count).sum();
    let told = bed.audits().len() as u64;
    assert_eq!(told + report.untold, refused, "{report:?}");
    assert!(refused == 300 && report.untold > 100, "{told} were told");
}

#[tokio::test]
async fn what_others_hold_leaves_no_room_and_that_is_said() {
    let bed = Bed::roomy(internet(), 1).await;
    let server = bed.server(WEB).await;
    let first = bed.connect(to()).await;
    let (served, _) = server.accept().await.unwrap();
    let mark = bed.egress.mark();
    reset(&mut bed.connect(to()).await).await;
    assert_eq!(
        bed.sentences(mark),
        ["`93.184.216.34:443` was refused: cellblock has no room for more connections now"]
    );
    drop((first, served));
    bed.audit(|audit| audit.verdict == Verdict::Closed).await;
    crate::bed::until(|| (bed.room.available_permits() == 1).then_some(())).await;
    let _again = bed.connect(to()).await;
    server.accept().await.unwrap();
}
