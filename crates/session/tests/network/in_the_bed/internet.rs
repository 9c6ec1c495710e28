//! The mode `internet`: whatever is public is reached, and nothing that is not, by whatever name or disguise.

use serde_json::Value;
use session::Network;
use session::network::Mode;

use crate::kit::{AT_ONCE, GET, INWARD, WEB, bracketed, fetches, network, tag, with};

fn internet() -> Network {
    network(Mode::Internet, &[], &[])
}

#[tokio::test]
async fn every_client_reaches_every_public_host() {
    with("clients in mode internet", internet(), async |scene| {
        let tag = tag("intr");
        let mut urls = Vec::new();
        for (name, service) in [("allowed.example", "allowed"), ("unlisted.example", "unlisted")] {
            let addresses = scene.bed.texts(&format!("/services/{service}"));
            for host in addresses.iter().map(|address| bracketed(address)).chain([name.to_owned()]) {
                urls.push((format!("https://{host}/{tag}"), host, service));
            }
        }
        urls.push((format!("http://www.allowed.example/{tag}"), "www.allowed.example".to_owned(), "www"));
        let mut web = Vec::new();
        for client in WEB {
            web.extend(urls.iter().filter(|(url, ..)| fetches(client, url)).map(|url| (client, url)));
        }
        let mut each: Vec<_> = web.iter().map(|(client, (url, ..))| vec![*client, url]).collect();
        let chained = format!("GET /{tag} HTTP/1.1\\r\\nHost: anything.example\\r\\n\\r\\n");
        let others = [
            (vec!["git", "https://git.example/bed.git"], "a bed's file."),
            (vec!["pip", "https://index.example/simple"], "42"),
            (vec!["npm", "https://registry.example"], "42"),
            (vec!["tcp", "mail.example", "2525"], "220 mail.example ready"),
            (vec!["tcp", "db.example", "5432"], "bed-database 1.0"),
            (vec!["tcp", "2606:2800:220:2::54", "5432"], "bed-database 1.0"),
            (vec!["tcp", "bulk.example", "7", "echoed\\n"], "echoed"),
            (vec!["tcp", "chain.example", "80", &chained], "HTTP/1.1 200 OK"),
            (vec!["local"], "here here"),
        ];
        each.extend(others.iter().map(|(client, _)| client.clone()));
        let (tried, notices) = scene.all(&each).await;
        assert_eq!(notices, [""; 0]);
        for ((client, (url, host, service)), tried) in web.iter().zip(&tried) {
            assert!(tried.ok, "{client} {url}: {tried:?}");
            let seen: Value = serde_json::from_str(&tried.answer).unwrap();
            assert_eq!(
                (&seen["host"], &seen["service"]),
                (&(&**host).into(), &(*service).into()),
                "{client} {url}"
            );
        }
        for ((client, answer), tried) in others.iter().zip(&tried[web.len()..]) {
            assert!(tried.ok && tried.answer == *answer, "{client:?}: {tried:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_public_is_refused_at_once_and_told() {
    with("addresses that are not public", internet(), async |scene| {
        let tag = tag("priv");
        let get = format!("GET /{tag} HTTP/1.0\\r\\n\\r\\n");
        let one = |host, port, why| (vec!["tcp", host, port, &*get], why);
        let mut each = Vec::new();
        for address in scene.bed.texts("/services/metadata") {
            let why = match address {
                address if address.starts_with("2002:") || address.contains(":5efe:") => "a translated form",
                _ => "it is a metadata service",
            };
            each.push(one(address, "80", why));
        }
        for address in scene.bed.texts("/services/private") {
            // One of them lies where stand-ins do, which is nobody's.
            let why = match address {
                "198.18.77.1" => "it is no public address",
                address if address.starts_with("2002:") => "a translated form",
                _ => "it is a private address",
            };
            each.push(one(address, "80", why));
        }
        for own in scene.bed.texts("/machine/public") {
            each.extend(["80", "8077"].map(|port| one(own, port, "it is an address of the host")));
        }
        for own in scene.bed.texts("/machine/private") {
            each.extend(["80", "8077"].map(|port| one(own, port, "it is a private address")));
        }
        each.extend([
            one("::ffff:169.254.169.254", "80", "it is a metadata service"),
            one("::ffff:10.77.0.1", "80", "it is a private address"),
            one("::ffff:93.184.215.2", "8077", "it is an address of the host"),
        ]);
        // The port of a server for mail, wherever it is; datagrams, whatever they are.
        // A name is told instead of an address once it was asked for, so addresses come first.
        for host in ["151.101.0.25", "2606:2800:220:2::25", "mail.example"] {
            each.push((vec!["tcp", host, "25", &get], "port 25 is closed"));
        }
        let other = "only TCP connections and lookups leave a session";
        for host in ["93.184.216.34", "2606:2800:220:1::34", "allowed.example"] {
            each.extend(["7", "443"].map(|port| (vec!["udp", host, port, &*tag], other)));
        }
        scene.refused_in_the_cell_alone(&tag, &each).await;
        // Its own loopback interface is its own, and the machine's is not there.
        for own in ["127.0.0.1", "::1", "0.0.0.0", "::ffff:127.0.0.1"] {
            let tried = scene.tried(&["tcp", own, "80", GET]).await;
            assert!(!tried.ok && tried.seconds < AT_ONCE, "{tried:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_name_that_leads_inward_leads_nowhere() {
    with("names that lead inward", internet(), async |scene| {
        let tag = tag("inwi");
        let urls = INWARD.map(|name| format!("http://{name}/{tag}"));
        let each: Vec<_> = urls.iter().map(|url| (vec!["urllib", &**url], "was refused: it is")).collect();
        scene.refused_in_the_cell_alone(&tag, &each).await;
        scene.tried(&["urllib", "http://multicast.example/"]).await.refused();
        scene.changing_names_lead_nowhere(&tag).await;
    })
    .await;
}

/// Looks a name up until it has seen both what it is at first and what it is then, and tries to go to both.
const REBIND: &str = r"
import socket, sys
seen = set()
for _ in range(4):
    try:
        seen |= {found[4][0] for found in socket.getaddrinfo(sys.argv[1], 80, socket.AF_INET)}
    except socket.gaierror:
        seen.add('nothing')
print(*sorted(seen))
";

#[tokio::test]
async fn a_name_that_changes_is_told_only_while_it_is_public() {
    with("a name that changes", internet(), async |scene| {
        for zone in ["flip", "flip-metadata", "flip-private"] {
            let name = format!("{}.{zone}.example", tag("chng"));
            let called = scene.python(REBIND, &[&name]).await;
            assert_eq!(called.printed, "93.184.216.34 nothing\n", "{zone}");
            assert!(called.notices.iter().any(|notice| notice.contains(&name)), "{:?}", called.notices);
        }
    })
    .await;
}

#[tokio::test]
async fn open_private_opens_what_it_says() {
    let open = ["10.77.0.0/24:80", "10.99.0.1", "fd99::1", "100.64.0.0/10", "10.77.0.2:8077"];
    with("opened addresses", network(Mode::Internet, &[], &open), async |scene| {
        let tag = tag("opni");
        let get = format!("GET /{tag} HTTP/1.0\\r\\n\\r\\n");
        let one = |host, port, why| (vec!["tcp", host, port, &*get], why);
        let each = [
            one("10.77.0.1", "2525", "it is a private address"),
            one("fd77::1", "80", "it is a private address"),
            // The machine's own lies in an opened range and was not meant.
            one("10.77.0.2", "80", "it is an address of the host"),
            one("172.16.77.1", "80", "it is a private address"),
            one("169.254.169.254", "80", "it is a metadata service"),
            one("100.100.100.200", "80", "it is a metadata service"),
        ];
        scene.refused_in_the_cell_alone(&tag, &each).await;
        let names = ["http://private.example/", "http://inward.example/", "http://shared.example/"];
        scene.opened_alone(&names).await;
    })
    .await;
}
