//! Inside: every server answers every client, captures see what is sent, and a way to send a name is found by them however
//! it is written. What these tests see must be missing when the same is tried in a cell.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use bed::{Bed, Needle};
use serde_json::Value;

/// Lines of JSON that a client prints.
fn lines(command: &mut Command) -> Vec<Value> {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a client got, or said instead.
fn tried(bed: &Bed, arguments: &[&str]) -> Result<String, String> {
    let mut command = bed.client("client.py").unwrap();
    let told = lines(command.arg("--authority").arg(bed.text("/authority")).args(arguments));
    let text = |field: &str| told[0][field].as_str().unwrap_or_default().to_owned();
    if told[0]["ok"] == true { Ok(text("answer")) } else { Err(text("error")) }
}

fn answer(bed: &Bed, arguments: &[&str]) -> String {
    tried(bed, arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

#[test]
fn every_client_fetches_from_a_web_server_that_tells_what_it_saw() {
    let Some(bed) = Bed::around("every client") else { return };
    for client in ["urllib", "requests", "httpx", "curl", "node", "deno"] {
        for url in ["https://allowed.example", "http://www.allowed.example"] {
            let url = format!("{url}/by-{client}");
            let seen: Value = serde_json::from_str(&answer(&bed, &[client, &url])).unwrap();
            assert_eq!(seen["path"], format!("/by-{client}"), "{client}");
            let (service, name) = if seen["tls"] == true {
                ("allowed", "allowed.example")
            } else {
                ("www", "www.allowed.example")
            };
            assert_eq!((&seen["service"], &seen["host"]), (&service.into(), &name.into()), "{client}");
            assert_eq!(seen["sni"], if seen["tls"] == true { name.into() } else { Value::Null }, "{client}");
            let path = format!("/by-{client}");
            assert!(
                bed.log("hits").unwrap().iter().any(|hit| hit["path"] == path && hit["service"] == service)
            );
        }
    }
}

#[test]
fn packages_and_repositories_can_be_had() {
    let Some(bed) = Bed::around("packages") else { return };
    assert_eq!(answer(&bed, &["pip", "https://index.example/simple"]), "42");
    assert_eq!(answer(&bed, &["npm", "https://registry.example"]), "42");
    assert_eq!(answer(&bed, &["git", "https://git.example/bed.git"]), "a bed's file.");
}

#[test]
fn servers_that_speak_first_do() {
    let Some(bed) = Bed::around("servers that speak first") else { return };
    for (host, port) in [("mail.example", "banner"), ("mail.example", "smtp"), ("db.example", "database")] {
        let number = bed.facts()["ports"][port].to_string();
        assert_eq!(answer(&bed, &["tcp", host, &number]), bed.text(&format!("/greetings/{port}")));
    }
    assert_eq!(answer(&bed, &["tcp", "bulk.example", "7", "hello\\n"]), "hello");
    assert_eq!(answer(&bed, &["udp", bed.texts("/services/bulk")[0], "7", "hello"]), "hello");
    assert_eq!(answer(&bed, &["local"]), "here here");
}

#[test]
fn secrets_are_told_wherever_nothing_guards_them() {
    let Some(bed) = Bed::around("secrets") else { return };
    let at = |address: &str, port: &str| {
        let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        answer(&bed, &["urllib", &format!("http://{host}:{port}/")])
    };
    for service in ["metadata", "private"] {
        for address in bed.texts(&format!("/services/{service}")) {
            assert_eq!(at(address, "80"), bed.text(&format!("/secrets/{service}")), "{address}");
        }
    }
    let own =
        [bed.texts("/machine/public"), bed.texts("/machine/private"), vec!["127.0.0.1", "::1", "0.0.0.0"]];
    for address in own.concat() {
        for port in ["80", &bed.facts()["ports"]["own"].to_string()] {
            assert_eq!(at(address, port), bed.text("/secrets/own"), "{address}");
        }
    }
    for (name, service) in [
        ("inward.example", "private"),
        ("metadata.example", "metadata"),
        ("translated.example", "metadata"),
        ("mapped.example", "metadata"),
        ("loopback.example", "own"),
        ("machine.example", "own"),
    ] {
        let told = answer(&bed, &["urllib", &format!("http://{name}/")]);
        assert_eq!(told, bed.text(&format!("/secrets/{service}")), "{name}");
    }
}

#[test]
fn a_name_that_changes_is_public_first() {
    if Bed::around("a name that changes").is_none() {
        return;
    }
    // Whoever asks for both families in between does not change the turn of this one.
    let name = format!("at{}.flip.example", std::process::id());
    let look_up = || {
        let output = Command::new("getent").args(["ahostsv4", &name]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let (first, second) = (look_up(), look_up());
    assert!(first.starts_with("93.184.216.34 ") && second.starts_with("127.0.0.1 "), "{first}{second}");
}

#[test]
fn ways_to_send_a_name_are_seen_by_captures() {
    let Some(bed) = Bed::around("ways to send a name") else { return };
    let before = bed.mark().unwrap();
    let tag = "bedtestways";
    let told = lines(bed.client("ways.py").unwrap().args([tag, "tunnel.example"]));
    assert!(told.len() >= 10, "{} ways", told.len());
    let seen = bed.packets_with(&before, &[Needle::new(tag)]).unwrap();
    // By each way's own number, within its name.
    let needles: Vec<_> = told
        .iter()
        .map(|way| Needle::new(way["name"].as_str().unwrap().split('.').next().unwrap()))
        .collect();
    let seen_ways: BTreeSet<String> =
        bed.packets_with(&before, &needles).unwrap().into_iter().map(|sighting| sighting.text).collect();
    assert!(["world", "machine"].iter().all(|side| seen.iter().any(|sighting| sighting.capture == *side)));
    let root =
        std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    for way in &told {
        let name = way["way"].as_str().unwrap();
        // What lives in files, and what the system may not have.
        let silent = ["varlink", "bus", "cache_daemon"].contains(&name);
        let for_root = ["raw", "frame", "echo_request_raw"].contains(&name);
        if silent || (for_root && !root) {
            continue;
        }
        let label = way["name"].as_str().unwrap().split('.').next().unwrap();
        assert!(seen_ways.contains(label), "nobody saw {way}");
    }
    let queries = bed.log("queries").unwrap();
    for (via, least) in [("udp", 4), ("tcp", 2), ("tls", 1), ("https", 1)] {
        let is_ours = |query: &&Value| {
            query["via"] == via && query["name"].as_str().is_some_and(|name| name.starts_with(tag))
        };
        assert!(queries.iter().filter(is_ours).count() >= least, "{via}");
    }
}

#[test]
fn captures_leave_out_bulk_and_nothing_else() {
    let Some(bed) = Bed::around("bulk in captures") else { return };
    for host in ["151.101.0.90", "2606:2800:220:2::90"] {
        // Neither so short a packet to the same port, nor so long a one to another.
        for (port, length, expected) in [("7", 100, true), ("7", 1000, false), ("80", 1000, true)] {
            let label = format!("bulk{length}to{port}of{}", if host.contains(':') { "six" } else { "four" });
            let before = bed.mark().unwrap();
            let text = format!("GET /{label}{} HTTP/1.0\\r\\n\\r\\n", "x".repeat(length));
            answer(&bed, &["tcp", host, port, &text]);
            let seen = bed.packets_with(&before, &[Needle::new(&label)]).unwrap();
            assert_eq!(!seen.is_empty(), expected, "{label}");
        }
    }
}

/// Brings up its loopback interface (SIOCSIFFLAGS), tells its process id, and sends a datagram when asked.
const INSIDE: &str = r"
import fcntl, os, socket, struct
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(sender, 0x8914, struct.pack('16sh14x', b'lo', 0x41))
print(os.getpid(), flush=True)
input()
sender.sendto(b'a bedinside b', ('127.0.0.1', 9))
print('sent', flush=True)
input()
";

#[test]
fn the_namespace_of_another_process_can_be_captured() {
    let Some(bed) = Bed::around("another namespace") else { return };
    let directory = std::env::temp_dir().join(format!("bed-capture-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    let client = bed.client("client.py").unwrap();
    let mut inside = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net"])
        .arg(client.get_program())
        .args(["-c", INSIDE])
        .envs(client.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(inside.stdout.take().unwrap());
    let mut hear = || {
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        line.trim().to_owned()
    };
    let mut capture = bed.capture(hear().parse().unwrap(), &directory.join("cell.pcap")).unwrap();
    let (before, outside) = (capture.mark().unwrap(), bed.mark().unwrap());
    inside.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    assert_eq!(hear(), "sent");
    let needle = [Needle::new("bedinside")];
    let seen = capture.packets_with(&before, &needle).unwrap();
    assert!(seen.iter().any(|sighting| sighting.capture == "cell"), "{seen:?}");
    assert_eq!(bed.packets_with(&outside, &needle).unwrap(), []);
    inside.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    inside.wait().unwrap();
    drop(capture);
    std::fs::remove_dir_all(&directory).unwrap();
}
