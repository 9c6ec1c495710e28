//! The mode `none`: nothing leaves, and whoever tries hears so at once.

use std::process::Stdio;

use bed::Needle;
use session::Network;

use crate::kit::{AT_ONCE, with};

/// What starts a program first has not been refused when that has started.
const PROGRAMS: [&str; 4] = ["getent", "node", "deno", "curl"];

#[tokio::test]
async fn no_way_to_resolve_a_name_lets_it_out() {
    with("ways out in mode none", Network::default(), async |scene| {
        let before = scene.bed.mark().unwrap();
        let tag = "insidecell";
        let ways = scene.ways(tag, "tunnel.example").await;
        assert!(ways.len() >= 10, "{ways:?}");
        for way in &ways {
            assert_eq!(way.came, None, "{way:?}");
            assert!(way.seconds < AT_ONCE || PROGRAMS.contains(&&*way.called), "{way:?}");
        }
        assert_eq!(scene.bed.packets_with(&before, &[Needle::new(tag)]).unwrap(), []);
        let asked = scene.bed.log("queries").unwrap();
        assert!(!asked.iter().any(|query| query.to_string().contains(tag)));

        // The same without a cell, in the same capture: it is not blind.
        let tag = "outofcell";
        let mut outside = scene.bed.client("ways.py").unwrap();
        outside.args([tag, "tunnel.example"]).stdin(Stdio::null()).stdout(Stdio::null());
        let status = tokio::task::spawn_blocking(move || outside.status()).await.unwrap();
        assert!(status.unwrap().success());
        let labels: Vec<_> = (0..ways.len()).map(|way| Needle::new(&format!("{tag}{way:02}"))).collect();
        let mut seen = scene.bed.packets_with(&before, &labels).unwrap();
        seen.sort_by(|one, other| one.text.cmp(&other.text));
        seen.dedup_by(|one, other| one.text == other.text);
        assert!(seen.len() >= 10, "{} ways were seen", seen.len());
    })
    .await;
}

#[tokio::test]
async fn no_client_reaches_anything_and_each_says_so() {
    with("clients in mode none", Network::default(), async |scene| {
        let before = scene.bed.mark().unwrap();
        for client in ["urllib", "requests", "httpx", "curl", "node", "deno"] {
            scene.tried(&[client, "https://allowed.example/from-a-cell"]).await.refused();
        }
        scene.tried(&["git", "https://git.example/bed.git"]).await.refused();
        scene.tried(&["pip", "https://index.example/simple"]).await.refused();
        scene.tried(&["npm", "https://registry.example"]).await.refused();
        for service in ["allowed", "metadata", "private", "foreign", "mail"] {
            for address in scene.bed.texts(&format!("/services/{service}")) {
                let tried = scene.tried(&["tcp", address, "80", "GET / HTTP/1.0\\r\\n\\r\\n"]).await;
                tried.refused();
                assert!(tried.seconds < AT_ONCE && tried.error.contains("ENETUNREACH"), "{tried:?}");
            }
        }
        for address in [scene.bed.texts("/machine/public"), scene.bed.texts("/machine/private")].concat() {
            scene.tried(&["tcp", address, "80", "GET / HTTP/1.0\\r\\n\\r\\n"]).await.refused();
        }
        // Its own loopback interface is its own.
        scene.tried(&["local"]).await.got("here here");
        for own in ["127.0.0.1", "::1", "0.0.0.0"] {
            let tried = scene.tried(&["tcp", own, "80", "GET / HTTP/1.0\\r\\n\\r\\n"]).await;
            assert!(!tried.ok && tried.error.contains("ECONNREFUSED"), "{tried:?}");
        }
        let needles = ["allowed.example", "from-a-cell"].map(Needle::new);
        assert_eq!(scene.bed.packets_with(&before, &needles).unwrap(), []);
    })
    .await;
}
