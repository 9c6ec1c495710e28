//! A server of its own: started on a free port with a data directory that is new, stopped as a service manager stops it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::leftovers::Marks;
use crate::workspace::answers;

/// How long it may take to be ready, and to end.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often that is looked at.
const PAUSE: Duration = Duration::from_millis(50);

pub(super) struct Server {
    child: Child,
    address: String,
    log: PathBuf,
    data: PathBuf,
}

impl Server {
    /// Starts a server and waits until it is ready: `program` is how cellblock is started, and by whom. Its data is in
    /// this directory, whose path is short, because that of a socket in it must fit into 107 bytes; its log is this file.
    pub(super) fn start(
        mut program: Command,
        environments: &Path,
        environment: &str,
        data: PathBuf,
        log: PathBuf,
    ) -> Result<Server> {
        let child = program
            .args(["serve", "--listen", "127.0.0.1:0", "--env", environment, "--data"])
            .arg(&data)
            // One mode is permitted to clients, and one is not.
            .args(["--network", "allow", "--allow", "listed.example"])
            .arg("--environments")
            .arg(environments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("failed to start {}", program.get_program().display()))?;
        let mut server = Server { child, address: String::new(), log, data };
        server.address = server.until("listens", |server| {
            let said = fs::read_to_string(&server.log).ok()?;
            let line = said.lines().find_map(|line| line.split_once(" listens on http://"))?;
            Some(line.1.trim().to_owned())
        })?;
        server.until("is ready", |server| ready(&server.address).ok().filter(|ready| *ready))?;
        Ok(server)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn log_file(&self) -> PathBuf {
        self.log.clone()
    }

    /// Stops it, and looks at what it left behind.
    pub(super) fn stop(mut self) -> Result<()> {
        let marks = Marks::of(self.pid(), &self.data)?;
        answers(Command::new("kill").args(["-TERM", &self.pid().to_string()]));
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if Instant::now() > deadline {
                bail!("the server did not stop within {} s of SIGTERM", PATIENCE.as_secs());
            }
            sleep(PAUSE);
        };
        let left = marks.left()?;
        for thing in &left {
            println!("left behind: {thing}");
        }
        if !status.success() {
            bail!("the server ended with {status}");
        }
        if !left.is_empty() {
            bail!("the server left {} things behind", left.len());
        }
        Ok(())
    }

    /// Waits for something that the server is to do.
    fn until<T>(&mut self, what: &str, done: impl Fn(&Server) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(value) = done(self) {
                return Ok(value);
            }
            let ended = self.child.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                let said = fs::read_to_string(&self.log).unwrap_or_default();
                bail!("the server never {what}; it says:\n{said}");
            }
            sleep(PAUSE);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if let Err(error) = fs::remove_dir_all(&self.data) {
            println!("{} could not be removed: {error}", self.data.display());
        }
    }
}

/// Whether `/readyz` says so.
fn ready(address: &str) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200 "))
}
