//! How long it takes to make and to end a cell: medians over 200 of each, in a scratch directory.
//!
//!     cargo run --release -p cell --example measure [RUNTIME]
//!
//! RUNTIME is a runtime directory, whose `home` each home begins with.

use std::time::{Duration, Instant};

use cell::{CellRequest, Node, NodeOptions};
use policy::network::Network;
use policy::{Limits, Mount};
use protocol::SessionId;

fn main() -> cell::Result<()> {
    let data = std::env::temp_dir().join(format!("cellblock-measure-{}", std::process::id()));
    let node = Node::start(&NodeOptions {
        data: data.clone(),
        environment: "/usr/lib".into(),
        runtime: std::env::args_os().nth(1).unwrap_or_else(|| "/usr/lib".into()).into(),
        total_memory: None,
    })?;
    let (mut made, mut ended) = (Vec::new(), Vec::new());
    for id in 0..200 {
        let request = CellRequest {
            session: SessionId::from_u128(id),
            limits: Limits::default(),
            network: Network::default(),
            mount: Mount::default(),
            linger_ms: 0,
        };
        let start = Instant::now();
        let cell = node.create(&request)?;
        made.push(start.elapsed());
        let start = Instant::now();
        cell.destroy()?;
        ended.push(start.elapsed());
    }
    drop(node);
    let _ = std::fs::remove_dir_all(data);
    for (what, mut times) in [("make a cell", made), ("end a cell", ended)] {
        times.sort();
        let at = |part: usize| ms(times[times.len() * part / 100]);
        println!("{what:<12} p50 {:>7.3} ms   p99 {:>7.3} ms", at(50), at(99));
    }
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
