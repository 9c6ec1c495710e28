//! Lookups: in the mode `allow` none of them leaves, in the mode `internet` they are answered truly and lead to nothing
//! that is not public.

use bed::Needle;
use session::network::Mode;

use crate::kit::{AT_ONCE, Scene, Way, network, tag, with};

/// What starts a program first has not been refused when that has started.
const PROGRAMS: [&str; 4] = ["getent", "node", "deno", "curl"];

/// The labels of ways, as they are sent.
fn labels(tag: &str, ways: &[Way]) -> Vec<Needle> {
    (0..ways.len()).map(|way| Needle::new(&format!("{tag}{way:02}"))).collect()
}

/// What was seen of these, each once.
fn seen(scene: &Scene, since: &bed::Mark, needles: &[Needle]) -> Vec<String> {
    let mut seen: Vec<_> =
        scene.bed.packets_with(since, needles).unwrap().into_iter().map(|sighting| sighting.text).collect();
    seen.sort();
    seen.dedup();
    seen
}

#[tokio::test]
async fn no_way_lets_a_name_out_that_is_not_listed() {
    with("ways out in mode allow", network(Mode::Allow, &["allowed.example"], &[]), async |scene| {
        let before = scene.bed.mark().unwrap();
        let inside = tag("dnsa");
        let ways = scene.ways(&inside, "tunnel.example").await;
        for way in &ways {
            // Whoever is asked, the answer is that there is no such name.
            let denied = way.came.as_ref().is_none_or(|came| came.contains("0bed8183"));
            assert!(denied, "{way:?}");
            assert!(way.seconds < AT_ONCE || PROGRAMS.contains(&&*way.called), "{way:?}");
        }
        assert_eq!(scene.bed.packets_with(&before, &[Needle::new(&inside)]).unwrap(), []);
        assert!(!scene.was_looked_up(&inside));

        // The same without a cell, in the same capture.
        let outside = tag("dnso");
        scene.ways_outside(&outside, "tunnel.example").await;
        let seen = seen(scene, &before, &labels(&outside, &ways));
        assert!(seen.len() >= 10, "{seen:?}");
    })
    .await;
}

#[tokio::test]
async fn lookups_below_a_listed_name_are_no_tunnel() {
    let network = network(Mode::Allow, &["*.tunnel.example"], &[]);
    with("a tunnel in mode allow", network, async |scene| {
        let before = scene.bed.mark().unwrap();
        let tag = tag("tunl");
        let ways = scene.ways(&tag, "tunnel.example").await;
        let connects = ways.iter().position(|way| way.called == "curl").unwrap();
        let mut labels = labels(&tag, &ways);
        let connection = labels.remove(connects);
        assert_eq!(seen(scene, &before, &labels), [""; 0]);
        assert!(ways[0].came.as_ref().is_some_and(|came| came.contains("198.18.")), "{:?}", ways[0]);
        // Whoever connects to what is listed gets there, which the same capture sees.
        assert_eq!(seen(scene, &before, &[connection]).len(), 1);

        let names: Vec<_> = (0..40).map(|each| format!("{tag}n{each}.tunnel.example")).collect();
        let lookups: Vec<_> = names
            .iter()
            .zip(["A", "AAAA", "TXT", "NULL", "HTTPS", "ANY"].iter().cycle())
            .map(|(name, kind)| vec!["lookup", "-", name, kind])
            .collect();
        let needle = [Needle::new(&format!("{tag}n"))];
        for (lookup, tried) in lookups.iter().zip(scene.all(&lookups).await.0) {
            let has_addresses = ["A", "AAAA"].contains(&lookup[3]);
            assert!(tried.ok && (tried.answer == "NOERROR") != has_addresses, "{lookup:?}: {tried:?}");
        }
        assert_eq!(seen(scene, &before, &needle), [""; 0]);
        scene.outside(&lookups).await;
        assert_eq!(seen(scene, &before, &needle).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn names_that_are_not_there_are_no_tunnel_for_long() {
    let network = network(Mode::Allow, &["*.nowhere.example"], &[]);
    with("a tunnel of connections", network, async |scene| {
        let tag = tag("cnct");
        let before = scene.bed.mark().unwrap();
        let names: Vec<_> = (0..40).map(|each| format!("http://{tag}{each:02}.nowhere.example/")).collect();
        let each: Vec<_> = names.iter().map(|url| vec!["urllib", url]).collect();
        let (tried, notices) = scene.all(&each).await;
        assert!(tried.iter().all(|tried| !tried.ok));
        assert!(notices.len() > 1, "{notices:?}");
        let labels: Vec<_> = (0..40).map(|each| Needle::new(&format!("{tag}{each:02}"))).collect();
        // Sixteen, and those that were under way when the sixteenth failed.
        let out = seen(scene, &before, &labels).len();
        assert!((16..=20).contains(&out), "{out} names left");
        let hint = scene.all(&each[39..]).await.1;
        assert!(hint.iter().any(|notice| notice.contains("too many names like it do not exist")), "{hint:?}");
    })
    .await;
}

#[tokio::test]
async fn every_kind_of_lookup_for_what_is_not_listed_is_denied_here() {
    with("kinds of lookups", network(Mode::Allow, &["allowed.example"], &[]), async |scene| {
        let tag = tag("kind");
        let before = scene.bed.mark().unwrap();
        let name = format!("{tag}.tunnel.example");
        let mut lookups = Vec::new();
        for kind in ["A", "AAAA", "TXT", "NULL", "HTTPS", "ANY"] {
            for (server, via) in
                [("-", "udp"), ("-", "tcp"), ("8.8.8.8", "udp"), ("2001:4860:4860::8888", "tcp")]
            {
                lookups.push(vec!["lookup", server, &name, kind, via]);
            }
        }
        let (tried, notices) = scene.all(&lookups).await;
        for (lookup, tried) in lookups.iter().zip(&tried) {
            assert!(
                tried.ok && tried.answer == "NXDOMAIN" && tried.seconds < AT_ONCE,
                "{lookup:?}: {tried:?}"
            );
        }
        assert_eq!(notices, [format!("`{name}` is not on this session's list (the list: allowed.example)")]);
        assert_eq!(seen(scene, &before, &[Needle::new(&tag)]), [""; 0]);
        assert!(!scene.was_looked_up(&tag));
        // A control for each.
        let outside = scene.outside(&lookups).await;
        assert!(outside.iter().all(|tried| tried.ok && tried.answer.starts_with("NOERROR")), "{outside:?}");
        assert_eq!(seen(scene, &before, &[Needle::new(&tag)]).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn in_the_mode_internet_answers_are_true() {
    with("lookups in mode internet", network(Mode::Internet, &[], &[]), async |scene| {
        let lookup = |name, kind, answer| (vec!["lookup", "-", name, kind], answer);
        let expected = [
            lookup("allowed.example", "A", "NOERROR 93.184.216.34"),
            lookup("allowed.example", "AAAA", "NOERROR 2606:2800:220:1::34"),
            lookup("chain.example", "A", "NOERROR type5 type5 93.184.216.34"),
            lookup("text.example", "TXT", "NOERROR bed-text-record"),
            lookup("text.example", "HTTPS", "NOERROR"),
            lookup("text.example", "ANY", "REFUSED"),
            lookup("missing.example", "A", "NXDOMAIN"),
            lookup("mixed.example", "A", "NOERROR 93.184.216.34"),
            lookup("private.example", "A", "NOERROR"),
            lookup("private.example", "AAAA", "NOERROR"),
            lookup("inward.example", "A", "NOERROR"),
            lookup("loopback.example", "AAAA", "NOERROR"),
            lookup("metadata.example", "A", "NOERROR"),
            lookup("mapped.example", "AAAA", "NOERROR"),
            lookup("translated.example", "AAAA", "NOERROR"),
            lookup("sixtofour.example", "AAAA", "NOERROR"),
            lookup("isatap.example", "AAAA", "NOERROR"),
            lookup("machine.example", "A", "NOERROR"),
            lookup("machine.example", "AAAA", "NOERROR"),
            lookup("many.example", "A", "NOERROR cut"),
            // Whoever is asked, the same answers.
            (vec!["lookup", "8.8.8.8", "allowed.example", "A"], "NOERROR 93.184.216.34"),
            (vec!["lookup", "2001:4860:4860::8888", "private.example", "A"], "NOERROR"),
            (vec!["lookup", "10.77.0.1", "allowed.example", "A", "tcp"], "NOERROR 93.184.216.34"),
        ];
        let lookups: Vec<_> = expected.iter().map(|(lookup, _)| lookup.clone()).collect();
        for ((lookup, answer), tried) in expected.iter().zip(scene.all(&lookups).await.0) {
            assert!(tried.ok && tried.answer == *answer, "{lookup:?}: {tried:?}");
        }
        // What does not fit into a datagram comes over a connection.
        let many = scene.tried(&["lookup", "-", "many.example", "A", "tcp"]).await.answer;
        assert_eq!(many.split(' ').count(), 101, "{many}");
        let all =
            "import socket; print(len(socket.getaddrinfo('many.example', 80, proto=socket.IPPROTO_TCP)))";
        assert_eq!(scene.python(all, &[]).await.printed, "100\n");
    })
    .await;
}
