//! The far end of what is measured: a server on one of this machine's own addresses.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// How much is read or written at once.
const CHUNK: usize = 1 << 20;

/// Listens until it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a free port.
    pub(super) fn start(address: IpAddr) -> io::Result<Server> {
        let listener = TcpListener::bind((address, 0))?;
        let address = listener.local_addr()?;
        let over = Arc::new(AtomicBool::new(false));
        let accepting = std::thread::spawn({
            let over = over.clone();
            move || {
                for stream in listener.incoming() {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    let Ok(stream) = stream else { continue };
                    // A client that goes ends its thread; none outlives the process.
                    std::thread::spawn(move || serve(stream));
                }
            }
        });
        Ok(Server { address, over, accepting: Some(accepting) })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // It hears of it when somebody comes.
        if TcpStream::connect(self.address).is_ok()
            && let Some(accepting) = self.accepting.take()
        {
            let _ = accepting.join();
        }
    }
}

/// Greets, and does what the client's first byte says: `r`, let it receive; `s`, let it send, and tell how much came.
fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(b"g")?;
    let mut order = [0];
    stream.read_exact(&mut order)?;
    let mut bytes = vec![0; CHUNK];
    if order == *b"r" {
        loop {
            stream.write_all(&bytes)?;
        }
    }
    let mut total = 0_u64;
    loop {
        match stream.read(&mut bytes)? {
            0 => return stream.write_all(&total.to_be_bytes()),
            count => total += count as u64,
        }
    }
}
