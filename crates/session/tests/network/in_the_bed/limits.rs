//! How much a session may do with its network, what becomes of its connections, and what is written down of them.

use std::time::{Duration, Instant};

use session::Network;
use session::network::{Mode, Rates};

use crate::audit;
use crate::kit::{AT_ONCE, Scene, network, tag, with};

fn internet(limits: Rates) -> Network {
    Network { limits, ..network(Mode::Internet, &[], &[]) }
}

/// Opens as many connections as it is told, says how many of them got their greeting, and closes all.
const OPEN: &str = r"
import socket, sys
held, greeted = [], 0
for _ in range(int(sys.argv[1])):
    try:
        connection = socket.create_connection(('151.101.0.25', 2525), timeout=20)
        held.append(connection)
        greeted += connection.recv(3) == b'220'
    except OSError:
        pass
print(greeted)
for connection in held:
    connection.close()
";

#[tokio::test]
async fn connections_at_once_are_limited() {
    let limits = Rates { connections: 4, ..Rates::default() };
    with("connections at once", internet(limits), async |scene| {
        let opened = scene.python(OPEN, &["7"]).await;
        assert_eq!(opened.printed, "4\n");
        assert!(opened.notices.iter().any(|notice| notice.contains(TOO_MANY)), "{:?}", opened.notices);
        // They are open no longer as soon as both sides have heard of it.
        let deadline = Instant::now() + Duration::from_secs(10);
        while scene.python(OPEN, &["4"]).await.printed != "4\n" {
            assert!(Instant::now() < deadline, "closed connections count");
        }
    })
    .await;
}

const TOO_MANY: &str = "there are too many connections or lookups";

#[tokio::test]
async fn connections_in_a_second_are_limited() {
    let limits = Rates { connections_per_second: 2, ..Rates::default() };
    with("connections in a second", internet(limits), async |scene| {
        let start = Instant::now();
        let opened = scene.python(OPEN, &["40"]).await;
        let greeted: f64 = opened.printed.trim().parse().unwrap();
        // So many at once, and so many in each second after that.
        let most = 8.0 + 2.0 * start.elapsed().as_secs_f64();
        assert!((8.0..=most).contains(&greeted), "{greeted} of {most}");
        assert!(opened.notices.iter().any(|notice| notice.contains(TOO_MANY)), "{:?}", opened.notices);
    })
    .await;
}

#[tokio::test]
async fn lookups_in_a_second_are_limited() {
    let limits = Rates { lookups_per_second: 2, ..Rates::default() };
    with("lookups in a second", internet(limits), async |scene| {
        let tag = tag("lkup");
        let names: Vec<_> = (0..40).map(|each| format!("{tag}{each}.tunnel.example")).collect();
        let each: Vec<_> = names.iter().map(|name| vec!["lookup", "-", name, "A"]).collect();
        let start = Instant::now();
        let (tried, notices) = scene.all(&each).await;
        let answered = tried.iter().filter(|tried| tried.answer == "NOERROR 93.184.216.34").count() as f64;
        let most = 8.0 + 2.0 * start.elapsed().as_secs_f64();
        assert!((8.0..=most).contains(&answered), "{answered} of {most}");
        assert!(tried.iter().all(|tried| tried.seconds < AT_ONCE), "{tried:?}");
        assert!(notices.iter().any(|notice| notice.contains(TOO_MANY)), "{notices:?}");
    })
    .await;
}

#[tokio::test]
async fn bytes_are_limited() {
    let limits = Rates { bytes: 1 << 20, ..Rates::default() };
    with("bytes", internet(limits), async |scene| {
        let bulk = |bytes| vec!["bulk", "151.101.0.90", "9000", "get", bytes];
        assert!(scene.tried(&bulk("500000")).await.ok);
        let (tried, notices) = scene.all(&[bulk("1000000")]).await;
        assert!(!tried[0].ok && tried[0].error.contains("ECONNRESET"), "{tried:?}");
        assert!(notices.iter().any(|notice| notice.contains(SPENT)), "{notices:?}");
        // Not one more, in whatever direction, nor a name.
        let after = [bulk("1"), vec!["lookup", "-", "allowed.example", "A"]];
        let (tried, notices) = scene.all(&after).await;
        assert!(!tried[0].ok, "{tried:?}");
        assert_eq!(tried[1].answer, "REFUSED");
        assert!(notices.iter().all(|notice| notice.contains(SPENT)) && !notices.is_empty(), "{notices:?}");
    })
    .await;
}

const SPENT: &str = "this session has used up its bytes";

#[tokio::test]
async fn a_reset_is_a_reset_on_the_other_side() {
    with("resets", internet(Rates::default()), async |scene| {
        let reset = scene.tried(&["tcp", "bulk.example", "9001", "reset\\n"]).await;
        assert!(!reset.ok && reset.error.contains("ECONNRESET"), "{reset:?}");

        let (orderly, abrupt) = (format!("orderly-{}", tag("ends")), format!("abrupt-{}", tag("ends")));
        let end = "import socket, struct, sys
connection = socket.create_connection(('bulk.example', 9001), timeout=20)
connection.sendall(sys.argv[1].encode() + b'\\n')
assert connection.recv(5) == b'open\\n'
if sys.argv[1].startswith('abrupt'):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
connection.close()";
        scene.python(end, &[&orderly]).await;
        scene.python(end, &[&abrupt]).await;
        assert_eq!(how_it_ended(scene, &orderly).await, "closed");
        assert_eq!(how_it_ended(scene, &abrupt).await, "reset");
    })
    .await;
}

/// What the world's server saw of the end of a connection; waits for it.
async fn how_it_ended(scene: &Scene, called: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let hits = scene.bed.log("hits").unwrap();
        if let Some(end) = hits.iter().find(|hit| hit["what"] == "end" && hit["called"] == called) {
            return end["how"].as_str().unwrap().to_owned();
        }
        assert!(Instant::now() < deadline, "the server did not see {called} end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Opens a connection, leaves it to a process of its own, and says so.
const LEFT_OPEN: &str = "import os, socket, sys, time
connection = socket.create_connection(('bulk.example', 9001), timeout=20)
connection.sendall(sys.argv[1].encode() + b'\\n')
assert connection.recv(5) == b'open\\n'
print('open', flush=True)
if os.fork() == 0:
    os.setsid()
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    time.sleep(600)";

#[tokio::test]
async fn with_the_session_all_its_connections_end() {
    with("the end of a session", internet(Rates::default()), async |scene| {
        let called = tag("left");
        assert_eq!(scene.python(LEFT_OPEN, &[&called]).await.printed, "open\n");
        scene.session.stop().await.unwrap();
        assert_eq!(how_it_ended(scene, &called).await, "reset");
    })
    .await;
}

#[tokio::test]
async fn an_operator_can_read_what_a_session_did() {
    let lines = audit::lines();
    let network = network(Mode::Allow, &["allowed.example"], &[]);
    with("audit", network, async |scene| {
        scene.tried(&["urllib", "http://allowed.example/"]).await;
        scene.tried(&["urllib", "http://unlisted.example/"]).await;
        scene.tried(&["tcp", "169.254.169.254", "80"]).await;
        scene.session.stop().await.unwrap();
        let session = scene.session.id().to_string();
        let own = || -> Vec<audit::Line> {
            let lines = lines.lock().unwrap();
            lines.iter().filter(|line| line.get("session") == Some(&session)).cloned().collect()
        };
        let one = |message: &str, field: &str, value: &str| {
            own().into_iter().find(|line| {
                line["message"].starts_with(message) && line.get(field).is_some_and(|own| own.contains(value))
            })
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while one("audit: network closed", "session", &session).is_none() {
            assert!(Instant::now() < deadline, "{:?}", own());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let reached = one("audit: connection closed", "name", "allowed.example").unwrap();
        assert!(reached["bytes_out"].parse::<u64>().unwrap() > 50, "{reached:?}");
        assert!(reached["bytes_in"].parse::<u64>().unwrap() > 100, "{reached:?}");
        assert_eq!(reached["principal"], session::Principal::local().as_str());
        let unlisted =
            one("audit: connection refused: it is not on this session's list", "name", "unlisted.example");
        assert_eq!(unlisted.unwrap()["bytes_out"], "0");
        assert!(
            one("audit: connection refused: it is not on", "address", "169.254.169.254:80").is_some(),
            "{:?}",
            own()
        );
        let closed = one("audit: network closed", "session", &session).unwrap();
        assert_eq!(
            (&*closed["connections"], &*closed["bytes_in"]),
            ("1", &*reached["bytes_in"]),
            "{closed:?}"
        );
    })
    .await;
}
