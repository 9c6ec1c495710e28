//! What a session reaches, as far as a machine without the test bed can show it: nothing here leaves the machine.

use session::Network;
use session::network::Mode;

use crate::kit::{BARE, Bench, Ran, run, with};

/// A session that may reach this.
async fn session(bench: &Bench, mode: Mode, allow: &[&str]) -> session::Session {
    let allow = allow.iter().map(|entry| entry.parse().unwrap()).collect();
    bench.session_in(Network { mode, allow, ..Network::default() }).await
}

/// Tries a list of things in a cell; a line for each: what it is, how it ended, and whether that was at once.
const TRY: &str = r#"
import socket, time
def attempt(what, act):
    begun = time.monotonic()
    try:
        result = act()
    except OSError as error:
        result = type(error).__name__ + " " + str(error.errno)
    quick = "at once" if time.monotonic() - begun < 0.5 else "late"
    print(what, result, quick, sep=": ")
def connect(host, port, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(5)
        s.connect((host, port))
        return "connected"
def greet(host, port, bytes):
    with socket.create_connection((host, port), 5) as s:
        s.sendall(bytes)
        return s.recv(100)
def datagram(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.connect((host, port))
        s.send(b"hello")
        return s.recv(100)
def own_server(family, host):
    with socket.socket(family, socket.SOCK_STREAM) as server:
        server.bind((host, 0)); server.listen()
        with socket.create_connection(server.getsockname()[:2], 5) as client:
            peer, _ = server.accept()
            peer.sendall(b"own"); peer.close()
            return client.recv(10)
attempt("own", lambda: own_server(socket.AF_INET, "127.0.0.1"))
attempt("own6", lambda: own_server(socket.AF_INET6, "::1"))
attempt("lookup", lambda: socket.getaddrinfo("unlisted.example", 443))
attempt("address", lambda: connect("93.184.216.34", 443))
attempt("address6", lambda: connect("2606:2800:220:1::1", 443, socket.AF_INET6))
attempt("metadata", lambda: connect("169.254.169.254", 80))
attempt("private", lambda: connect("10.1.2.3", 80))
attempt("door", lambda: connect("127.0.0.1", 1))
attempt("udp", lambda: datagram("93.184.216.34", 443))
"#;

fn line(ran: &Ran, what: &str) -> String {
    let start = format!("{what}: ");
    let stdout = ran.stdout();
    let found = stdout.lines().find_map(|line| line.strip_prefix(start.as_str()));
    found.unwrap_or_else(|| panic!("{ran:?}")).to_owned()
}

#[tokio::test]
async fn nothing_is_reached_in_the_mode_none() {
    with(BARE, async |bench| {
        let session = session(bench, Mode::None, &[]).await;
        let ran = run(&session, TRY).await;
        for (what, how) in [
            ("own", "b'own': at once"),
            ("lookup", "gaierror -2: at once"),
            ("address", "OSError 101: at once"),
            ("metadata", "OSError 101: at once"),
            ("udp", "OSError 101: at once"),
        ] {
            assert_eq!(line(&ran, what), how, "{what}");
        }
        // It said nothing of it itself. What does is told why, whoever says it.
        assert_eq!(ran.notices(), Vec::<&str>::new());
        for code in [
            "socket.getaddrinfo('example.org', 443)",
            "!echo 'Could not resolve host: example.org' >&2",
            "print('ERROR: No matching distribution found for humanize')",
        ] {
            let ran = run(&session, code).await;
            assert!(ran.notices().concat().contains("this session has no network"), "{ran:?}");
        }
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_is_not_listed_is_refused_at_once_and_said() {
    with(BARE, async |bench| {
        let session = session(bench, Mode::Allow, &["listed.example", "db.example:5432"]).await;
        let ran = run(&session, TRY).await;
        for (what, how) in [
            ("own", "b'own': at once"),
            ("lookup", "gaierror -2: at once"),
            ("address", "ConnectionRefusedError 111: at once"),
            ("metadata", "ConnectionRefusedError 111: at once"),
            ("private", "ConnectionRefusedError 111: at once"),
            ("door", "ConnectionRefusedError 111: at once"),
        ] {
            assert_eq!(line(&ran, what), how, "{what}");
        }
        assert!(line(&ran, "udp").ends_with("at once"), "{ran:?}");
        let said = ran.notices().join("\n");
        assert!(said.contains("`unlisted.example` is not on this session's list"), "{said}");
        assert!(said.contains("(the list: listed.example, db.example:5432)"), "{said}");
        assert!(said.contains("93.184.216.34:443"), "{said}");

        // What is too large for a packet is looked up over a connection: at the name server that the cell is told of,
        // and at any other.
        let code = r#"
import struct
question = b"\x06listed\x07example\x00\x00\x01\x00\x01"
query = struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + question
for server in ["127.0.0.1", "::1", "198.51.100.53"]:
    answer = lambda: greet(server, 53, struct.pack(">H", len(query)) + query)[14 + len(question):][-4:-2]
    attempt("large " + server, answer)
"#;
        let ran = run(&session, code).await;
        for server in ["127.0.0.1", "::1", "198.51.100.53"] {
            assert_eq!(line(&ran, &format!("large {server}")), r"b'\xc6\x12': at once");
        }

        // A name on the list has an address of its own, which leads out; a greeting that names another does not.
        let code = r#"
a = {info[4][0] for info in socket.getaddrinfo("listed.example", 443)}
print(all(ip.startswith("198.1") or ip.startswith("2001:2:") for ip in a), len(a) > 0)
attempt("other", lambda: greet("listed.example", 80, b"GET / HTTP/1.1\r\nHost: unlisted.example\r\n\r\n"))
attempt("port", lambda: greet("db.example", 80, b"GET / HTTP/1.1\r\nHost: db.example\r\n\r\n"))
"#;
        let ran = run(&session, code).await;
        assert!(ran.stdout().starts_with("True True\n"), "{ran:?}");
        assert_eq!(line(&ran, "other"), "ConnectionResetError 104: at once");
        assert_eq!(line(&ran, "port"), "ConnectionResetError 104: at once");
        let said = ran.notices().join("\n");
        assert!(said.contains("the greeting names another host"), "{said}");
        assert!(said.contains("with another port"), "{said}");
        // What happened in an earlier call is not said again.
        assert!(!said.contains("unlisted.example` is not"), "{said}");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_internet_is_without_the_private_networks() {
    with(BARE, async |bench| {
        let session = session(bench, Mode::Internet, &[]).await;
        // The lookup and the public addresses would leave the machine.
        let code: String = TRY
            .lines()
            .filter(|line| {
                !["lookup", "address", "udp"].iter().any(|what| line.contains(&format!("\"{what}")))
            })
            .collect::<Vec<_>>()
            .join("\n");
        let ran = run(&session, &code).await;
        for (what, how) in [
            ("own", "b'own': at once"),
            ("metadata", "ConnectionRefusedError 111: at once"),
            ("private", "ConnectionRefusedError 111: at once"),
            ("door", "ConnectionRefusedError 111: at once"),
        ] {
            assert_eq!(line(&ran, what), how, "{what}");
        }
        let said = ran.notices().join("\n");
        assert!(said.contains("169.254.169.254:80") && said.contains("metadata service"), "{said}");
        session.stop().await.unwrap();
    })
    .await;
}
