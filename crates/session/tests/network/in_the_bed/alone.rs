//! What fills the machine: nothing else runs beside it.

use std::env;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use session::Network;
use session::network::Mode;

use crate::kit::{PYTHON, alone, called, network};

fn public() -> Network {
    network(Mode::Internet, &[], &[])
}

/// Opens twenty connections, downloads through all of them at once from a moment that it is told until another,
/// and says how many bytes came.
const DOWNLOAD: &str = r"
import select, socket, sys, time
begin, end = float(sys.argv[1]), float(sys.argv[2])
connections = [socket.create_connection(('151.101.0.90', 9000), timeout=60) for _ in range(20)]
print('connected' if time.time() < begin else 'late', flush=True)
time.sleep(max(0, begin - time.time()))
poll = select.epoll()
for connection in connections:
    connection.sendall(b'get 100000000000\n')
    poll.register(connection, select.EPOLLIN)
by_descriptor = {connection.fileno(): connection for connection in connections}
count = 0
while time.time() < end:
    for descriptor, _ in poll.poll(0.1):
        count += len(by_descriptor[descriptor].recv(1 << 16))
print(count)
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_share_what_there_is() {
    let long = env::var_os("CELLBLOCK_TEST_LONG").is_some();
    let (sessions, connecting, downloading) = if long { (200, 60, 20) } else { (6, 4, 2) };
    alone("fairness", public(), async |scene| {
        let mut open = Vec::new();
        for _ in 0..sessions {
            open.push(scene.another(public()).await);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let begin = now + Duration::from_secs(connecting);
        let end = begin + Duration::from_secs(downloading);
        let moments = [begin, end].map(|moment| moment.as_secs_f64().to_string());
        let downloads = open.into_iter().map(|session| {
            let [begin, end] = moments.clone();
            tokio::spawn(
                async move { called(&session, &[PYTHON, "-c", DOWNLOAD, &begin, &end]).await.printed },
            )
        });
        let mut counts = Vec::new();
        for download in downloads.collect::<Vec<_>>() {
            let printed = download.await.unwrap();
            let (connected, count) = printed.trim().split_once('\n').unwrap();
            assert_eq!(connected, "connected", "the machine is too slow for this test");
            counts.push(count.parse::<u64>().unwrap());
        }
        counts.sort_unstable();
        let median = counts[counts.len() / 2];
        println!("bytes of {sessions} sessions with 20 connections each: {counts:?}");
        assert!(median > 0 && counts[0] >= median / 3, "{counts:?}");
    })
    .await;
}

/// Sends random bytes to who repeats them, ends its side, and reads to the end; slowly if it is told so.
const REPEATED: &str = r"
import hashlib, os, socket, sys, threading, time
host, size, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
connection = socket.create_connection((host, 7), timeout=60)
sent, heard = hashlib.sha256(), hashlib.sha256()
def send():
    left = size
    while left:
        piece = os.urandom(min(left, 1 << 18))
        sent.update(piece)
        connection.sendall(piece)
        left -= len(piece)
    connection.shutdown(socket.SHUT_WR)
sender = threading.Thread(target=send)
sender.start()
count = 0
while piece := connection.recv(1 << 16):
    heard.update(piece)
    count += len(piece)
    time.sleep(pause)
sender.join()
print(count, sent.digest() == heard.digest())
";

#[tokio::test]
async fn bytes_come_whole_both_ways() {
    alone("many bytes", public(), async |scene| {
        for host in ["151.101.0.90", "2606:2800:220:2::90", "bulk.example"] {
            let heard = scene.python(REPEATED, &[host, "50000000", "0"]).await.printed;
            assert_eq!(heard, "50000000 True\n", "{host}");
        }
        // A client that takes its time: what it does not take waits, and its end is not lost.
        let heard = scene.python(REPEATED, &["bulk.example", "8000000", "0.01"]).await.printed;
        assert_eq!(heard, "8000000 True\n");
    })
    .await;
}
