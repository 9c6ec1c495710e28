//! How fast connections are carried, beside direct ones. Not a test: `cargo nextest run --release -p egress
//! --run-ignored only --no-capture measure`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::bed::{Bed, internet};

const TO: &str = "93.184.216.34:443";
/// What is carried in one go.
const AMOUNT: usize = 2 << 30;
const ROUNDS: usize = 2000;

/// Both ends on threads of their own, as programs are.
async fn throughput(client: TcpStream, server: TcpStream, download: bool) -> f64 {
    let blocking = |stream: TcpStream| {
        let stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream
    };
    let (mut from, mut to) = if download { (server, client) } else { (client, server) };
    let _ = (from.write_all(b"x").await, to.read_u8().await);
    let (mut from, mut to) = (blocking(from), blocking(to));
    let started = Instant::now();
    let sends = std::thread::spawn(move || {
        let chunk = vec![1; 256 << 10];
        for _ in 0..AMOUNT / chunk.len() {
            std::io::Write::write_all(&mut from, &chunk).unwrap();
        }
    });
    let receives = tokio::task::spawn_blocking(move || {
        let mut chunk = vec![0; 256 << 10];
        let mut left = AMOUNT;
        while left > 0 {
            left -= std::io::Read::read(&mut to, &mut chunk).unwrap();
        }
    });
    receives.await.unwrap();
    sends.join().unwrap();
    AMOUNT as f64 * 8.0 / started.elapsed().as_secs_f64() / 1e9
}

/// Connects, says a byte, and waits for the answer.
async fn first_byte(mut client: TcpStream) {
    client.set_nodelay(true).unwrap();
    client.write_all(b"x").await.unwrap();
    client.read_u8().await.unwrap();
}

async fn echo(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            stream.set_nodelay(true).unwrap();
            while let Ok(byte) = stream.read_u8().await {
                stream.write_u8(byte).await.unwrap();
            }
        });
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, for a release build"]
async fn carried_beside_direct() {
    let to: SocketAddr = TO.parse().unwrap();
    let bed = Bed::new(internet()).await;
    let server = bed.server(TO).await;
    let at = server.local_addr().unwrap();
    for download in [false, true] {
        let direct = TcpStream::connect(at).await.unwrap();
        let direct = throughput(direct, server.accept().await.unwrap().0, download).await;
        let carried = bed.connect(to).await;
        let carried = throughput(carried, server.accept().await.unwrap().0, download).await;
        println!("download {download}: direct {direct:.1} Gbit/s, carried {carried:.1} Gbit/s");
    }
    tokio::spawn(echo(server));
    let (mut direct, mut carried) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        first_byte(TcpStream::connect(at).await.unwrap()).await;
        direct.push(started.elapsed());
        let started = Instant::now();
        first_byte(bed.connect(to).await).await;
        carried.push(started.elapsed());
    }
    println!("connect and first byte, median: direct {:?}, carried {:?}", median(direct), median(carried));
}

/// The memory of this process, in bytes.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, for a release build"]
async fn memory_of_connections_that_are_idle() {
    const CONNECTIONS: usize = 1000;
    let mut network = internet();
    network.limits.connections = CONNECTIONS as u32;
    let bed = Bed::new(network).await;
    let server = bed.server(TO).await;
    // What the test itself needs for each is subtracted: both ends of as many direct connections.
    let before = resident();
    let mut direct = Vec::new();
    for _ in 0..CONNECTIONS {
        let client = TcpStream::connect(server.local_addr().unwrap()).await.unwrap();
        direct.push((client, server.accept().await.unwrap().0));
    }
    let ends = resident() - before;
    let before = resident();
    let mut carried = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut client = bed.connect(TO.parse().unwrap()).await;
        let (mut served, _) = server.accept().await.unwrap();
        client.write_all(&vec![1; 100_000]).await.unwrap();
        let mut bytes = vec![0; 100_000];
        served.read_exact(&mut bytes).await.unwrap();
        carried.push((client, served));
    }
    let all = resident() - before;
    println!("an idle connection: {} bytes", all.saturating_sub(ends) / CONNECTIONS);
}
