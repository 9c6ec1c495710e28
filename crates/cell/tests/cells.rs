//! Cells, made for real.

use std::fs;
use std::path::Path;

use cell::{CellRequest, Node, NodeOptions};
use policy::Limits;
use policy::network::Network;
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
