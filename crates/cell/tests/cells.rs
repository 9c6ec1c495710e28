//! Cells, made for real.

use std::fs;
use std::path::Path;

use cell::{CellRequest, Node, NodeOptions};
use policy::network::{Mode, Network};
use policy::{Limits, Mount};
use protocol::SessionId;

fn node(data: &Path) -> Node {
    Node::start(&NodeOptions {
        data: data.to_owned(),
        environment: "/usr/lib".into(),
        runtime: "/usr/lib".into(),
        total_memory: None,
    })
    .unwrap()
}

fn request(id: u128) -> CellRequest {
    CellRequest {
        session: SessionId::from_u128(id),
        limits: Limits::default(),
        network: Network::default(),
        mount: Mount::default(),
        linger_ms: 0,
    }
}

#[test]
fn a_cell_is_apart() {
    let data = tempfile::tempdir().unwrap();
    let node = node(data.path());
    let cell = node.create(&request(1)).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", cell.pid())).unwrap();
    println!("{status}");
    println!("{}", fs::read_to_string(format!("/proc/{}/mountinfo", cell.pid())).unwrap());
    for name in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] {
        let link = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/{name}")).unwrap();
        assert_ne!(link("self"), link(&cell.pid().to_string()), "{name}");
    }
    let start = std::time::Instant::now();
    for id in 2..52 {
        node.create(&request(id)).unwrap().destroy().unwrap();
    }
    println!("{:?} each", start.elapsed() / 50);
    cell.destroy().unwrap();
    drop(node);
    assert_eq!(fs::read_dir(data.path().join("nodes")).unwrap().count(), 0);
}

#[test]
fn a_way_out_begins_at_doors() {
    use std::net::{TcpListener, UdpSocket};

    let data = tempfile::tempdir().unwrap();
    let node = node(data.path());
    let mut closed = node.create(&request(1)).unwrap();
    assert!(closed.take_doors().is_none());
    closed.destroy().unwrap();
    for mode in [Mode::Allow, Mode::Internet] {
        let network = Network { mode, ..Network::default() };
        let mut cell = node.create(&CellRequest { network, ..request(2) }).unwrap();
        let doors = cell.take_doors().unwrap();
        assert!(cell.take_doors().is_none(), "they are handed out once");
        let streams = doors.streams.into_iter().map(|door| TcpListener::from(door).local_addr().unwrap());
        let streams: Vec<_> = streams.map(|at| at.to_string()).collect();
        let lookups = doors.lookups.into_iter().map(|door| UdpSocket::from(door).local_addr().unwrap());
        let lookups: Vec<_> = lookups.map(|at| at.to_string()).collect();
        // Where the machine has no IPv6, a cell has none.
        let families = 1 + usize::from(TcpListener::bind("[::1]:0").is_ok());
        let all = ["127.0.0.1:1", "127.0.0.1:53", "[::1]:1", "[::1]:53"];
        assert_eq!(streams, all[..2 * families], "{mode}");
        assert_eq!(lookups, ["127.0.0.1:53", "[::1]:53"][..families], "{mode}");
        cell.destroy().unwrap();
    }
}
