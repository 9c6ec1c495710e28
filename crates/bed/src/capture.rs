//! Writing down every packet of a network namespace, in pcap files.
//!
//! "Not one packet" can only be told by who has read them all. A packet waits in the socket's queue before whoever sent
//! it goes on; so a reader that empties the queue after it was asked has written all that was sent before the
//! question. That is what [`CAPTURE`](crate::facts::CAPTURE) answers, with the lengths of the files, and with the
//! number of packets that were lost: a capture with losses proves nothing.
//!
//! What is measured in bytes is left out, or it would take all the room: long packets from and to the ports of `bulk` and
//! `echo`. A name that is sent there stands in a short one.

use std::fs::File;
use std::io::{BufRead, BufWriter, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};
use serde_json::{Value, json};
use sys::packet::PacketSocket;

use crate::facts;
use crate::network::Network;

/// Bytes of packets that may wait to be written.
const BUFFER: usize = 32 << 20;

/// The largest packet: segments may be put together until an interface takes them apart.
const LARGEST: usize = 256 << 10;

/// Packets of bulk are longer than this.
const SHORT: u32 = 512;

/// One namespace's capture.
struct Recorder {
    path: PathBuf,
    socket: PacketSocket,
    file: BufWriter<File>,
    written: u64,
    lost: u64,
}

impl Recorder {
    /// Of the calling thread's network namespace.
    fn new(file: File, path: &Path) -> Result<Self> {
        let socket = PacketSocket::new(BUFFER).context("make a packet socket")?;
        let mut recorder =
            Self { path: path.to_owned(), socket, file: BufWriter::new(file), written: 0, lost: 0 };
        // Of microseconds, version 2.4, in UTC, with link-layer headers as Ethernet has them.
        let header = [0xa1b2_c3d4, 0x0004_0002, 0, 0, LARGEST as u32, 1];
        recorder.write(&words(&header))?;
        Ok(recorder)
    }

    /// Writes all that waits.
    fn drain(&mut self, buffer: &mut [u8]) -> Result<()> {
        while let Some(length) = self.socket.next(buffer).context("read a packet")? {
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
            let header = [now.as_secs() as u32, now.subsec_micros(), length as u32, length as u32];
            self.write(&words(&header))?;
            self.write(&buffer[..length])?;
        }
        self.file.flush().context("write a capture")
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).context("write a capture")?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn state(&mut self) -> Result<Value> {
        self.lost += u64::from(self.socket.lost().context("count lost packets")?);
        Ok(json!({ "file": self.path, "length": self.written, "lost": self.lost }))
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// Starts captures of these namespaces, named after them, and tells where the files are. The calling thread ends up in
/// the last of them.
pub(crate) fn start(directory: &Path, networks: &[(&str, &Network)]) -> Result<Value> {
    let ports = &facts::constant()["ports"];
    let port = |name: &str| ports[name].as_u64().and_then(|port| u16::try_from(port).ok());
    let bulk = [port("bulk").context("no port of bulk")?, port("echo").context("no port of echo")?];
    let mut recorders = Vec::new();
    for (name, network) in networks {
        network.enter()?;
        let path = directory.join(format!("{name}.pcap"));
        let file = File::create(&path).with_context(|| format!("make {}", path.display()))?;
        let recorder = Recorder::new(file, &path)?;
        recorder.socket.leave_out(bulk, SHORT).context("leave bulk out")?;
        recorders.push(recorder);
    }
    let files: Vec<_> = recorders.iter().map(|recorder| recorder.path.clone()).collect();
    let listener = UnixListener::bind(directory.join(facts::CAPTURE)).context("listen")?;
    thread::spawn(move || {
        if let Err(error) = record(&mut recorders, &listener) {
            // Who asks finds nobody, and fails.
            eprintln!("bed: the capture ended: {error:#}");
        }
    });
    Ok(json!(files))
}

fn record(recorders: &mut [Recorder], listener: &UnixListener) -> Result<()> {
    let mut buffer = vec![0; LARGEST];
    loop {
        wait(recorders, listener.as_fd())?;
        let asked = is_ready(listener.as_fd())?.then(|| listener.accept()).transpose()?;
        for recorder in &mut *recorders {
            recorder.drain(&mut buffer)?;
        }
        if let Some((mut asker, _)) = asked {
            let states = recorders.iter_mut().map(Recorder::state).collect::<Result<Vec<_>>>()?;
            // Who asked may have gone.
            let _ = writeln!(asker, "{}", json!(states));
        }
    }
}

fn wait(recorders: &[Recorder], other: BorrowedFd) -> Result<()> {
    let mut waiting: Vec<_> =
        recorders.iter().map(|recorder| PollFd::new(&recorder.socket, PollFlags::IN)).collect();
    waiting.push(PollFd::from_borrowed_fd(other, PollFlags::IN));
    match poll(&mut waiting, None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

fn is_ready(fd: BorrowedFd) -> Result<bool> {
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    Ok(poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], Some(&now))? > 0)
}

/// Captures what the interfaces of a process's network namespace see, until stdin ends. Says `ready` once it does, and
/// answers each line on stdin with how far it is.
///
/// Whoever may not enter the namespace as he is joins the user namespace that owns the process first, which the user
/// who made that namespace, or one above it, may.
pub fn of_process(process: BorrowedFd, path: &Path) -> Result<()> {
    let file = File::create(path).with_context(|| format!("make {}", path.display()))?;
    move_into_thread_name_spaces(process, ThreadNameSpaceType::NETWORK)
        .or_else(|_| {
            let both = ThreadNameSpaceType::USER | ThreadNameSpaceType::NETWORK;
            move_into_thread_name_spaces(process, both)
        })
        .context("enter the network namespace")?;
    let mut recorder = Recorder::new(file, path)?;
    println!("ready");
    let mut buffer = vec![0; LARGEST];
    let stdin = std::io::stdin();
    loop {
        wait(std::slice::from_ref(&recorder), stdin.as_fd())?;
        let mut line = String::new();
        let asked = is_ready(stdin.as_fd())?;
        if asked && stdin.lock().read_line(&mut line)? == 0 {
            return Ok(());
        }
        recorder.drain(&mut buffer)?;
        if asked {
            println!("{}", json!([recorder.state()?]));
        }
    }
}
