use super::*;

fn name(text: &str) -> Name {
    Name::new(text).unwrap_or_else(|| panic!("`{text}` is a name"))
}

fn allow(entries: &[&str]) -> Network {
    let allow = entries.iter().map(|entry| entry.parse().unwrap()).collect();
    Network { mode: Mode::Allow, allow, ..Network::default() }
}

fn internet(opened: &[&str]) -> Network {
    let open_private = opened.iter().map(|entry| entry.parse().unwrap()).collect();
    Network { mode: Mode::Internet, open_private, ..Network::default() }
}

#[test]
fn names_have_one_spelling() {
    assert_eq!(name("Example.ORG."), name("example.org"));
    for text in ["_dmarc.example.org", "a", "xn--bcher-kva.example", "1.2.3.4.example"] {
        assert!(Name::new(text).is_some(), "{text}");
    }
    let long = "a".repeat(64);
    let longer = ["a".repeat(63).as_str(); 4].join(".");
    for text in [
        "",
        ".",
        "a..b",
        ".a",
        "-a.org",
        "a-.org",
        "bücher.org",
        "a b",
        "a/b",
        "a:1",
        "1.2.3.4",
        "0x7f.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "a.0x1",
        "[::1]",
        "*.org",
        "a\0b",
        &long,
        &longer,
    ] {
        assert!(Name::new(text).is_none(), "{text}");
    }
}

#[test]
fn a_name_is_listed_by_itself_or_below_another() {
    let network = allow(&["example.org", "*.data.example", "db.example:5432"]);
    for text in ["example.org", "EXAMPLE.org", "a.data.example", "a.b.data.example", "db.example"] {
        assert!(network.lists(&name(text)), "{text}");
    }
    for text in
        ["data.example", "www.example.org", "xdata.example", "example.org.evil", "org", "adata.example"]
    {
        assert!(!network.lists(&name(text)), "{text}");
    }
}

#[test]
fn a_port_opens_a_name_and_without_one_the_client_must_greet() {
    let network = allow(&["example.org", "db.example:5432", "mx.example:25", "db.example:5433"]);
    let passage = |host: &str, port| network.passage(&name(host), port);
    assert_eq!(passage("example.org", 443), Ok(Passage::Greeted));
    assert_eq!(passage("example.org", 8080), Ok(Passage::Greeted));
    assert_eq!(passage("example.org", 25), Err(Refusal::Mail));
    assert_eq!(passage("db.example", 5432), Ok(Passage::Open));
    assert_eq!(passage("db.example", 5433), Ok(Passage::Open));
    assert_eq!(passage("db.example", 443), Err(Refusal::PortNotListed));
    assert_eq!(passage("mx.example", 25), Ok(Passage::Open));
    assert_eq!(passage("other.example", 443), Err(Refusal::NotListed));
    let both = allow(&["db.example:5432", "db.example"]);
    assert_eq!(both.passage(&name("db.example"), 5432), Ok(Passage::Open));
    assert_eq!(both.passage(&name("db.example"), 443), Ok(Passage::Greeted));
}

#[test]
fn addresses_are_what_they_are_in_every_disguise() {
    for (text, expected) in [
        ("93.184.216.34", Kind::Public),
        ("2606:2800:220:1::1", Kind::Public),
        ("64:ff9b::8.8.8.8", Kind::Public),
        ("10.0.0.1", Kind::Private),
        ("172.31.255.255", Kind::Private),
        ("172.32.0.1", Kind::Public),
        ("100.64.0.1", Kind::Private),
        ("169.254.169.254", Kind::Metadata),
        ("168.63.129.16", Kind::Metadata),
        ("fd00:ec2::254", Kind::Metadata),
        ("64:ff9b::169.254.169.254", Kind::Metadata),
        ("64:ff9b::10.1.2.3", Kind::Private),
        ("64:ff9b::127.0.0.1", Kind::Loopback),
        ("::ffff:169.254.169.254", Kind::Translated),
        ("::ffff:8.8.8.8", Kind::Translated),
        ("::127.0.0.1", Kind::Translated),
        ("2002:7f00:1::1", Kind::Translated),
        ("2001:0:1::1", Kind::Translated),
        ("2606:2800:220:1:0:5efe:10.1.2.3", Kind::Translated),
        ("64:ff9b:1::1", Kind::Reserved),
        ("169.254.1.1", Kind::LinkLocal),
        ("fe80::1", Kind::LinkLocal),
        ("fc00::1", Kind::Private),
        ("::1", Kind::Loopback),
        ("::", Kind::Loopback),
        ("0.0.0.0", Kind::Loopback),
        ("127.1.2.3", Kind::Loopback),
        ("224.0.0.251", Kind::Multicast),
        ("ff02::fb", Kind::Multicast),
        ("255.255.255.255", Kind::Reserved),
        ("198.18.0.1", Kind::Reserved),
        ("2001:2::1", Kind::Reserved),
        ("2001:db8::1", Kind::Reserved),
        ("4000::1", Kind::Reserved),
    ] {
        assert_eq!(kind(text.parse().unwrap()), expected, "{text}");
    }
}

#[test]
fn the_internet_is_what_is_public_and_what_was_opened() {
    let network = internet(&["10.1.2.3:5432", "192.168.7.0/24", "[fd00::1]:443"]);
    let may = |to: &str| network.address(to.parse().unwrap());
    assert_eq!(may("93.184.216.34:443"), Ok(()));
    assert_eq!(may("93.184.216.34:25"), Err(Refusal::Mail));
    assert_eq!(may("10.1.2.3:5432"), Ok(()));
    assert_eq!(may("10.1.2.3:5433"), Err(Refusal::Address(Kind::Private)));
    assert_eq!(may("192.168.7.255:1"), Ok(()));
    assert_eq!(may("192.168.8.1:1"), Err(Refusal::Address(Kind::Private)));
    assert_eq!(may("[fd00::1]:443"), Ok(()));
    assert_eq!(network.resolved("127.0.0.1:80".parse().unwrap()), Err(Refusal::Address(Kind::Loopback)));
    // Opening a range does not open the metadata service in it.
    let wide = internet(&["100.64.0.0/10", "fc00::/7"]);
    assert_eq!(wide.address("100.100.100.200:80".parse().unwrap()), Err(Refusal::Address(Kind::Metadata)));
    assert_eq!(wide.address("[fd00:ec2::254]:80".parse().unwrap()), Err(Refusal::Address(Kind::Metadata)));
    assert_eq!(wide.address("100.64.9.9:80".parse().unwrap()), Ok(()));
    assert_eq!(Network::default().address("93.184.216.34:443".parse().unwrap()), Err(Refusal::NoNetwork));
}

#[test]
fn entries_are_understood_or_refused_with_a_reason() {
    for text in [
        "example.org",
        "*.example.org",
        "example.org:443",
        "*.example.org:8443",
        "93.184.216.34",
        "93.184.216.34:443",
        "[2606::1]:443",
        "2606::1",
    ] {
        let entry: Entry = text.parse().unwrap();
        assert_eq!(entry.to_string(), text);
    }
    for text in [
        "",
        "*",
        "*.",
        "a.*.org",
        "https://example.org",
        "example.org/x",
        "example.org:0",
        "example.org:x",
        "example.org:65536",
        "example.org:+1",
        "10.0.0.1",
        "127.0.0.1:80",
        "93.184.216.0/24",
        "bücher.de",
        "[::1",
        "example.org:1:2",
    ] {
        assert!(text.parse::<Entry>().is_err(), "{text}");
    }
    for text in [
        "10.1.2.3",
        "10.1.2.3:5432",
        "10.0.0.0/8",
        "10.1.0.0/16:80",
        "fd00::1",
        "[fd00::/8]:443",
        "203.0.113.0/24:443",
        "240.0.0.0/4",
    ] {
        let opened: Opened = text.parse().unwrap();
        assert_eq!(opened.to_string(), text);
    }
    for text in [
        "8.8.8.8",
        "169.254.169.254",
        "127.0.0.1",
        "::1",
        "0.0.0.0/0",
        "::/0",
        "10.1.2.3/8",
        "8.0.0.0/7",
        "fe80::1",
        "224.0.0.1",
        "db.internal",
        "100.100.100.200",
        "fd00:ec2::254",
        "10.0.0.0/7",
        "198.18.0.9",
        "198.16.0.0/12",
        "2001:2::/64",
        "c000::/2",
        "::ffff:10.1.2.3",
        "10.0.0.0/33",
    ] {
        assert!(text.parse::<Opened>().is_err(), "{text}");
    }
}

/// What the rules say of a connection from a program in the cell: whether it comes to a door.
fn led(network: &Network, own: &[IpAddr], to: &str, udp: bool) -> Option<Door> {
    let to: SocketAddr = to.parse().unwrap();
    let holds = |when: &When| match *when {
        When::To(prefix) => prefix.contains(to.ip()),
        When::Tcp => !udp,
        When::Udp => udp,
        When::ToPort(port) => to.port() == port,
        other => panic!("{other:?} is no condition on a destination"),
    };
    let rules = rules(network, own).unwrap();
    let rule = rules.lead.iter().find(|rule| rule.when.iter().all(holds))?;
    if let Then::Lead(door) = rule.then { Some(door) } else { None }
}

#[test]
fn rules_and_judgement_agree() {
    let own = ["93.184.216.2".parse().unwrap()];
    let networks = [
        internet(&[]),
        internet(&["10.1.2.3:5432", "192.168.7.0/24", "fc00::/7", "100.64.0.0/10", "203.0.113.0/24:443"]),
        allow(&["example.org", "93.184.216.35:443", "2606::1"]),
        Network { open_private: vec!["10.1.2.3:5432".parse().unwrap()], ..allow(&["example.org"]) },
    ];
    let addresses = [
        "93.184.216.34",
        "93.184.216.35",
        "[2606::1]",
        "[2606::2]",
        "10.1.2.3",
        "10.1.2.4",
        "192.168.7.9",
        "169.254.169.254",
        "169.254.1.1",
        "[fd00:ec2::254]",
        "[fd00::9]",
        "100.100.100.200",
        "100.64.1.1",
        "168.63.129.16",
        "[fe80::1]",
        "224.0.0.1",
        "[ff02::1]",
        "[2002::1]",
        "[2001::1]",
        "[64:ff9b:1::1]",
        "0.1.2.3",
        "255.255.255.255",
        "[4000::1]",
        "[::ffff:8.8.8.8]",
        "[2001:db8::1]",
        "203.0.113.9",
    ];
    for network in &networks {
        for address in addresses {
            for port in [25, 80, 443, 5432] {
                let to = format!("{address}:{port}");
                let judged = network.address(to.parse().unwrap());
                let rule = led(network, &own, &to, false);
                assert_eq!(
                    rule,
                    judged.is_ok().then_some(Door::Streams),
                    "{:?} {to} {judged:?}",
                    network.mode
                );
                assert_eq!(led(network, &own, &to, true), None, "{to} by UDP");
            }
            for (udp, door) in [(true, Door::Lookups), (false, Door::Streams)] {
                assert_eq!(led(network, &own, &format!("{address}:53"), udp), Some(door), "{address}");
            }
        }
        assert_eq!(led(network, &own, "127.0.0.1:80", false), None);
        assert_eq!(led(network, &own, "[::1]:53", true), None);
    }
    // The host's own address, though public, and what the daemon must look at itself.
    assert_eq!(led(&networks[0], &own, "93.184.216.2:443", false), None);
    assert_eq!(led(&networks[0], &own, "[64:ff9b::a9fe:a9fe]:80", false), Some(Door::Streams));
    // Synthetic addresses lead out where names have them, and nowhere else.
    assert_eq!(led(&networks[2], &own, "198.18.0.7:443", false), Some(Door::Streams));
    assert_eq!(led(&networks[2], &own, "[2001:2::7]:443", false), Some(Door::Streams));
    assert_eq!(led(&networks[0], &own, "198.18.0.7:443", false), None);
    assert!(rules(&Network::default(), &own).is_none());
}

#[test]
fn an_answer_holds_what_the_daemon_would_connect_to() {
    let network = internet(&["10.1.2.3:5432", "10.2.0.0/16"]);
    let answered = |text: &str| network.answered(text.parse().unwrap());
    for address in ["93.184.216.34", "2606:4700::1", "10.1.2.3", "10.2.200.1"] {
        assert_eq!(answered(address), Ok(()), "{address}");
    }
    for (address, kind) in
        [("10.1.2.4", Kind::Private), ("127.0.0.1", Kind::Loopback), ("169.254.169.254", Kind::Metadata)]
    {
        assert_eq!(answered(address), Err(Refusal::Address(kind)), "{address}");
    }
}

#[test]
fn an_address_is_meant_when_it_is_written_down_and_not_when_a_range_holds_it() {
    let network = internet(&["10.1.2.3:5432", "10.2.0.0/16"]);
    let meant = |network: &Network, text: &str| network.meant(text.parse().unwrap());
    assert!(meant(&network, "10.1.2.3:5432"));
    for other in ["10.1.2.3:22", "10.2.0.1:5432", "93.184.216.34:443"] {
        assert!(!meant(&network, other), "{other}");
    }
    let listed = allow(&["93.184.216.34"]);
    assert!(meant(&listed, "93.184.216.34:443"));
    assert!(!meant(&Network { mode: Mode::None, ..listed }, "93.184.216.34:443"));
}
