//! The mode `none`: nothing leaves, and whoever tries hears so at once.

use bed::Needle;
use session::Network;

use crate::kit::{AT_ONCE, GET, Tried, WEB, with};

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
        scene.ways_outside(tag, "tunnel.example").await;
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
        let mut each: Vec<_> =
            WEB.iter().map(|client| vec![*client, "https://allowed.example/from-a-cell"]).collect();
        each.extend([
            vec!["git", "https://git.example/bed.git"],
            vec!["pip", "https://index.example/simple"],
            vec!["npm", "https://registry.example"],
        ]);
        scene.all(&each).await.0.iter().for_each(Tried::refused);
        let mut each = Vec::new();
        for service in ["allowed", "metadata", "private", "foreign", "mail"] {
            each.extend(scene.bed.texts(&format!("/services/{service}")));
        }
        each.extend([scene.bed.texts("/machine/public"), scene.bed.texts("/machine/private")].concat());
        let each: Vec<_> = each.into_iter().map(|address| vec!["tcp", address, "80", GET]).collect();
        for tried in scene.all(&each).await.0 {
            tried.refused();
            assert!(tried.seconds < AT_ONCE && tried.error.contains("ENETUNREACH"), "{tried:?}");
        }
        // Its own loopback interface is its own.
        scene.tried(&["local"]).await.got("here here");
        for own in ["127.0.0.1", "::1", "0.0.0.0"] {
            let tried = scene.tried(&["tcp", own, "80", GET]).await;
            assert!(!tried.ok && tried.error.contains("ECONNREFUSED"), "{tried:?}");
        }
        let needles = ["allowed.example", "from-a-cell"].map(Needle::new);
        assert_eq!(scene.bed.packets_with(&before, &needles).unwrap(), []);
    })
    .await;
}
