//! The mode `allow`: what is listed is reached by every client as if nothing were between, and nothing else is.

use bed::Needle;
use serde_json::Value;
use session::Network;
use session::network::Mode;

use crate::kit::{AT_ONCE, GET, INWARD, Tried, WEB, fetches, network, tag, with};

fn listed() -> Network {
    let allow = [
        "allowed.example",
        "*.allowed.example",
        "index.example",
        "registry.example",
        "git.example",
        "mail.example:2525",
        "db.example",
        "bulk.example:7",
        "93.184.216.35",
        "[2606:2800:220:1::35]:443",
    ];
    network(Mode::Allow, &allow, &[])
}

#[tokio::test]
async fn every_client_reaches_what_is_listed() {
    with("clients in mode allow", listed(), async |scene| {
        let tag = tag("alow");
        let mut each = Vec::new();
        let urls = [
            format!("https://allowed.example/{tag}"),
            format!("http://www.allowed.example/{tag}"),
            format!("https://93.184.216.35/{tag}"),
            format!("https://[2606:2800:220:1::35]/{tag}"),
        ];
        for client in WEB {
            each.extend(urls.iter().filter(|url| fetches(client, url)).map(|url| vec![client, url]));
        }
        let web = each.len();
        let asked = format!("GET /{tag} HTTP/1.1\\r\\nHost: allowed.example\\r\\n\\r\\n");
        let others = [
            (vec!["git", "https://git.example/bed.git"], "a bed's file."),
            (vec!["pip", "https://index.example/simple"], "42"),
            (vec!["npm", "https://registry.example"], "42"),
            (vec!["tcp", "mail.example", "2525"], "220 mail.example ready"),
            (vec!["tcp", "bulk.example", "7", "echoed\\n"], "echoed"),
            (vec!["tcp", "allowed.example", "80", &asked], "HTTP/1.1 200 OK"),
            (vec!["tls", "allowed.example", "443", "allowed.example", &asked], "HTTP/1.1 200 OK"),
            (vec!["tcp", "93.184.216.35", "2525"], "220 mail.example ready"),
            (vec!["local"], "here here"),
        ];
        each.extend(others.iter().map(|(client, _)| client.clone()));
        let (tried, notices) = scene.all(&each).await;
        assert_eq!(notices, [""; 0]);
        for (client, tried) in each.iter().zip(&tried).take(web) {
            assert!(tried.ok, "{client:?}: {tried:?}");
            // The server saw the client's own words.
            let seen: Value = serde_json::from_str(&tried.answer).unwrap();
            let host = client[1].split('/').nth(2).unwrap();
            assert_eq!(seen["host"], host, "{client:?}");
            assert_eq!(seen["service"], if host == "allowed.example" { "allowed" } else { "www" });
            if host == "allowed.example" {
                assert_eq!(seen["sni"], host, "{client:?}");
            }
        }
        for ((client, answer), tried) in others.iter().zip(&tried[web..]) {
            assert!(tried.ok && tried.answer == *answer, "{client:?}: {tried:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_name_is_reached_in_the_family_that_the_client_takes() {
    with("families in mode allow", listed(), async |scene| {
        for (kind, tag, address) in [("A", tag("four"), 0), ("AAAA", tag("six6"), 1)] {
            let true_one = scene.bed.texts("/services/allowed")[address];
            let found = scene.tried(&["lookup", "-", "allowed.example", kind]).await.answer;
            let stand_in = found.strip_prefix("NOERROR ").unwrap();
            assert_ne!(stand_in, true_one);
            let asked = format!("GET /{tag} HTTP/1.1\\r\\nHost: allowed.example\\r\\n\\r\\n");
            scene.tried(&["tcp", stand_in, "80", &asked]).await.got("HTTP/1.1 200 OK");
            let hits = scene.bed.log("hits").unwrap();
            let hit = hits.iter().find(|hit| hit["path"] == format!("/{tag}")).unwrap();
            assert_eq!(hit["address"], true_one);
        }
    })
    .await;
}

#[tokio::test]
async fn no_client_reaches_what_is_not_listed() {
    with("what is not listed", listed(), async |scene| {
        let tag = tag("nlst");
        let before = scene.bed.mark().unwrap();
        let urls = ["https://unlisted.example", "http://unlisted.example", "https://neighbour.example"];
        let urls = urls.map(|url| format!("{url}/{tag}"));
        let mut each = Vec::new();
        for client in WEB {
            each.extend(urls.iter().map(|url| vec![client, url]));
        }
        each.extend([
            vec!["git", "https://unlisted.example/bed.git"],
            vec!["pip", "https://unlisted.example/simple"],
            vec!["npm", "https://unlisted.example"],
        ]);
        let (tried, notices) = scene.all(&each).await;
        for (client, tried) in each.iter().zip(tried) {
            assert!(!tried.ok, "{client:?}: {tried:?}");
        }
        for name in ["unlisted.example", "neighbour.example"] {
            assert!(notices.contains(&format!("`{name}` is not on this session's list")), "{notices:?}");
        }
        assert_eq!(scene.bed.packets_with(&before, &[Needle::new(&tag)]).unwrap(), []);
        assert!(!scene.was_asked_for(&tag));
    })
    .await;
}

#[tokio::test]
async fn other_names_ports_and_addresses_are_refused_at_once_and_told() {
    with("other names, ports and addresses", listed(), async |scene| {
        let tag = tag("oths");
        let get = format!("GET /{tag} HTTP/1.0\\r\\n\\r\\n");
        let one = |host, port, why| (vec!["tcp", host, port, &*get], why);
        let unknown = "is not on this session's list";
        let datagram = "only TCP connections and lookups leave a session";
        let other_port = "it is on this session's list with another port";
        let mut each = vec![
            one("unlisted.example", "80", unknown),
            one("neighbour.example", "80", unknown),
            one("chain.example", "80", unknown),
            one("private.example", "80", unknown),
            one("metadata.example", "80", unknown),
            one("mail.example", "80", other_port),
            one("bulk.example", "80", other_port),
            one("151.101.0.66", "80", unknown),
            one("2606:2800:220:2::66", "80", unknown),
            // What a listed name resolves to is not listed by that.
            one("93.184.216.34", "80", unknown),
            one("2606:2800:220:1::34", "80", unknown),
            // With the other port alone.
            one("2606:2800:220:1::35", "80", unknown),
        ];
        for service in ["metadata", "private", "foreign"] {
            each.extend(
                scene.bed.texts(&format!("/services/{service}")).iter().map(|to| one(to, "80", unknown)),
            );
        }
        for own in [scene.bed.texts("/machine/public"), scene.bed.texts("/machine/private")].concat() {
            each.extend(["80", "8077"].map(|port| one(own, port, unknown)));
        }
        each.extend([
            one("::ffff:169.254.169.254", "80", unknown),
            one("::ffff:10.77.0.1", "80", unknown),
            (vec!["udp", "93.184.216.34", "7", &tag], datagram),
            (vec!["udp", "2606:2800:220:1::34", "443", &tag], datagram),
        ]);
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
async fn names_below_one_are_listed_without_it() {
    let network = network(Mode::Allow, &["*.allowed.example"], &[]);
    with("names below one", network, async |scene| {
        let tag = tag("blow");
        assert!(scene.tried(&["urllib", "https://www.allowed.example/"]).await.ok);
        let urls = ["http://allowed.example", "http://unlisted.example"].map(|url| format!("{url}/{tag}"));
        let each = urls.each_ref().map(|url| (vec!["urllib", &**url], "is not on this session's list"));
        scene.refused_in_the_cell_alone(&tag, &each).await;
    })
    .await;
}

#[tokio::test]
async fn datagrams_to_a_listed_name_are_refused() {
    with("datagrams to a listed name", listed(), async |scene| {
        let tag = tag("dgrm");
        let why = "only TCP connections and lookups leave a session";
        let each = ["7", "443"].map(|port| (vec!["udp", "allowed.example", port, &*tag], why));
        scene.refused_in_the_cell_alone(&tag, &each).await;
    })
    .await;
}

#[tokio::test]
async fn a_greeting_for_another_host_is_not_let_through() {
    with("greetings in mode allow", listed(), async |scene| {
        let tag = tag("gree");
        let other_name = "the greeting names another host";
        let unclear = "the greeting is no plain one of TLS or HTTP/1";
        let silent = "a server that speaks first is listed as `name:port`";
        let request = |line: &str, hosts: &[&str]| {
            let hosts: String = hosts.iter().map(|host| format!("Host: {host}\\r\\n")).collect();
            format!("{line}\\r\\n{hosts}X-Tag: {tag}\\r\\n\\r\\n")
        };
        let line = format!("GET /{tag} HTTP/1.1");
        let (allowed, neighbour) = ("allowed.example", "neighbour.example");
        let plain = [
            (request(&line, &[neighbour]), other_name),
            (request(&line, &["93.184.216.34"]), other_name),
            (request(&line, &[allowed, neighbour]), unclear),
            (request(&line, &[neighbour, allowed]), unclear),
            (request(&line, &["allowed.example, neighbour.example"]), unclear),
            (request(&line, &[]), silent),
            (request(&format!("GET http://neighbour.example/{tag} HTTP/1.1"), &[allowed]), unclear),
            (request(&format!("GET http://neighbour.example/{tag} HTTP/1.1"), &[neighbour]), other_name),
            (request("CONNECT neighbour.example:443 HTTP/1.1", &[allowed]), unclear),
            ("PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n".to_owned() + &tag, unclear),
        ];
        let mut each: Vec<_> =
            plain.iter().map(|(text, why)| (vec!["tcp", allowed, "80", text], *why)).collect();
        let whole = request(&line, &[allowed]);
        // Neither is within TLS what it claims to be.
        for name in [neighbour, "unlisted.example", "93.184.216.34"] {
            each.push((
                vec!["tls", allowed, "443", name, &whole],
                if name.starts_with('9') { silent } else { other_name },
            ));
        }
        each.push((vec!["tls", allowed, "443", "-", &whole], silent));
        let bytes = format!("{tag}\\n");
        each.push((vec!["tcp", allowed, "7", &bytes], silent));
        scene.refused_in_the_cell_alone(&tag, &each).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_speaks_first_must_be_listed_with_its_port() {
    with("servers that speak first", listed(), async |scene| {
        // It waits as long as the client is waited for; mail between servers is never meant by a name alone.
        let each = [vec!["tcp", "db.example", "5432"], vec!["tcp", "db.example", "25"]];
        let (tried, notices) = scene.all(&each).await;
        tried.iter().for_each(Tried::refused);
        assert!(tried[1].seconds < AT_ONCE, "{tried:?}");
        let hint = "`db.example:5432` was refused: the client did not greet with TLS or HTTP; a server that speaks \
                    first is listed as `name:port`";
        assert!(notices.iter().any(|notice| notice == hint), "{notices:?}");
        assert!(notices.iter().any(|notice| notice == "`db.example:25` was refused: port 25 is closed"), "{notices:?}");
        for (tried, greeting) in scene.outside(&each).await.iter().zip(["database", "smtp"]) {
            tried.got(scene.bed.text(&format!("/greetings/{greeting}")));
        }
    })
    .await;
}

#[tokio::test]
async fn a_listed_name_that_leads_inward_leads_nowhere() {
    let changing = ["*.flip.example", "*.flip-metadata.example", "*.flip-private.example", "mixed.example"];
    let list = [&INWARD[..], &changing, &["multicast.example"]].concat();
    with("names that lead inward", network(Mode::Allow, &list, &[]), async |scene| {
        let tag = tag("inwd");
        let urls = INWARD.map(|name| format!("http://{name}/{tag}"));
        let each: Vec<_> = urls.iter().map(|url| (vec!["urllib", &**url], "was refused: it is")).collect();
        scene.refused_in_the_cell_alone(&tag, &each).await;
        scene.tried(&["urllib", "http://multicast.example/"]).await.refused();
        scene.changing_names_lead_nowhere(&tag).await;
    })
    .await;
}

#[tokio::test]
async fn open_private_opens_what_it_says() {
    let open = ["10.77.0.1:80", "10.99.0.1", "fd99::1", "100.64.0.0/10", "10.77.0.2:8077"];
    let network = network(Mode::Allow, &["private.example", "shared.example", "metadata.example"], &open);
    with("opened addresses", network, async |scene| {
        scene.opened_alone(&["http://private.example/", "http://shared.example/"]).await;
        let tag = tag("open");
        let get = format!("GET /{tag} HTTP/1.0\\r\\n\\r\\n");
        let one = |host, port, why| (vec!["tcp", host, port, &*get], why);
        let unknown = "is not on this session's list";
        let each = [
            one("10.77.0.1", "9001", unknown),
            one("fd77::1", "80", unknown),
            one("10.77.0.2", "80", unknown),
            one("172.16.77.1", "80", unknown),
            one("169.254.169.254", "80", unknown),
            // It lies in an opened range.
            one("100.100.100.200", "80", unknown),
        ];
        let url = format!("http://metadata.example/{tag}");
        let each = [&each[..], &[(vec!["urllib", &url], "it is a metadata service")]].concat();
        scene.refused_in_the_cell_alone(&tag, &each).await;
    })
    .await;
}
