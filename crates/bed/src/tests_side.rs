//! What tests that run in a bed ask of it.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::{Needle, facts, init, world};

/// The bed around this process.
#[derive(Debug)]
pub struct Bed {
    facts: Value,
}

/// How far the captures are.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Mark(Vec<Capture>);

#[derive(Debug, Clone, Deserialize)]
struct Capture {
    file: PathBuf,
    length: u64,
    lost: u64,
}

/// A packet that bore what was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Where it was captured: `world`, `machine`, or what the caller named its own capture.
    pub capture: String,
    /// The text that was found.
    pub text: String,
    /// The packet, from its link-layer header on.
    pub packet: Vec<u8>,
}

impl Bed {
    /// The bed around this process; `None`, and said so on stderr, where there is none.
    ///
    /// # Panics
    ///
    /// If there is one whose facts cannot be read.
    pub fn around(test: &str) -> Option<Self> {
        let Some(file) = env::var_os(facts::VARIABLE) else {
            eprintln!("SKIPPED: {test}: outside of the test bed: `cargo run -p check -- network`");
            return None;
        };
        Some(Self { facts: init::read_facts(Path::new(&file)).expect("the bed's facts") })
    }

    /// All facts: `world/facts.json`, and where files are.
    pub fn facts(&self) -> &Value {
        &self.facts
    }

    /// A text among the facts, by its JSON pointer.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn text(&self, pointer: &str) -> &str {
        let text = self.facts.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("the bed's facts have no text {pointer}"))
    }

    /// The texts of an array among the facts, by its JSON pointer.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn texts(&self, pointer: &str) -> Vec<&str> {
        facts::texts(&self.facts, pointer).expect("the bed's facts")
    }

    /// The lines that servers wrote down: `hits` for connections and requests, `queries` for names.
    pub fn log(&self, name: &str) -> Result<Vec<Value>> {
        let text = fs::read_to_string(self.text(&format!("/{name}"))).context("read a log of the bed")?;
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// How far the captures are: every packet sent until now lies before it.
    pub fn mark(&self) -> Result<Mark> {
        let socket = Path::new(self.text("/directory")).join(facts::CAPTURE);
        let answer = UnixStream::connect(socket).context("ask the captures; do they run?")?;
        Mark::read(&mut BufReader::new(answer))
    }

    /// The packets since `since` that bear one of the needles.
    pub fn packets_with(&self, since: &Mark, needles: &[Needle]) -> Result<Vec<Sighting>> {
        since.packets_with(&self.mark()?, needles)
    }
}

impl Bed {
    /// A client, `client.py` or `ways.py`, outside of any cell, with the Python that runs the bed's servers and the
    /// other programs of its environment.
    pub fn client(&self, program: &str) -> Result<Command> {
        let python = Path::new(self.text("/python"));
        let mut command = Command::new(python);
        command.arg("-B").arg(Path::new(self.text("/clients")).join(program));
        command.envs(world::told(python)?);
        let own = python.parent().map(Path::to_path_buf);
        let path = env::var_os("PATH").unwrap_or_default();
        command.env("PATH", env::join_paths(own.into_iter().chain(env::split_paths(&path)))?);
        Ok(command)
    }

    /// Starts a capture of the network namespace that a process is in, a cell's init for one, to a file. It sees all
    /// that comes after this returns.
    pub fn capture(&self, process: u32, file: &Path) -> Result<CellCapture> {
        let mut child = Command::new(self.text("/program"))
            .args(["capture", "--pid", &process.to_string(), "--to"])
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start a capture")?;
        let answers = BufReader::new(child.stdout.take().context("no output")?);
        let mut capture = CellCapture { child, answers };
        let mut line = String::new();
        capture.answers.read_line(&mut line)?;
        if line != "ready\n" {
            bail!("the capture of process {process} did not start");
        }
        Ok(capture)
    }
}

/// A capture of one more network namespace; ends when it is dropped.
#[derive(Debug)]
pub struct CellCapture {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl CellCapture {
    /// How far it is: every packet sent until now lies before it.
    pub fn mark(&mut self) -> Result<Mark> {
        self.child.stdin.as_mut().context("no input")?.write_all(b"?\n").context("ask the capture")?;
        Mark::read(&mut self.answers)
    }

    /// The packets since `since` that bear one of the needles.
    pub fn packets_with(&mut self, since: &Mark, needles: &[Needle]) -> Result<Vec<Sighting>> {
        since.packets_with(&self.mark()?, needles)
    }
}

impl Drop for CellCapture {
    fn drop(&mut self) {
        // It ends when its input does.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

impl Mark {
    fn read(answer: &mut impl BufRead) -> Result<Self> {
        let mut line = String::new();
        answer.read_line(&mut line).context("hear from the captures")?;
        serde_json::from_str(&line).context("understand the captures")
    }

    /// The packets from here to `end` that bear one of the needles. Fails where packets were lost.
    pub fn packets_with(&self, end: &Mark, needles: &[Needle]) -> Result<Vec<Sighting>> {
        let mut found = Vec::new();
        for (from, to) in self.0.iter().zip(&end.0) {
            if from.file != to.file || to.lost != from.lost {
                bail!("{} packets were lost in {}", to.lost - from.lost, to.file.display());
            }
            let mut file = File::open(&from.file).context("open a capture")?;
            file.seek(SeekFrom::Start(from.length))?;
            let mut bytes = vec![0; (to.length - from.length) as usize];
            file.read_exact(&mut bytes).context("read a capture")?;
            let capture = from.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            for packet in Packets(&bytes) {
                let lower = packet.to_ascii_lowercase();
                found.extend(needles.iter().filter(|needle| needle.is_in(&lower)).map(|needle| Sighting {
                    capture: capture.clone(),
                    text: needle.text().to_owned(),
                    packet: packet.to_vec(),
                }));
            }
        }
        Ok(found)
    }
}

/// The packets of a piece of a capture file that begins and ends between two.
struct Packets<'a>(&'a [u8]);

impl<'a> Iterator for Packets<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (header, rest) = self.0.split_at_checked(16)?;
        let length = u32::from_ne_bytes([header[8], header[9], header[10], header[11]]);
        let (packet, rest) = rest.split_at_checked(length as usize)?;
        self.0 = rest;
        Some(packet)
    }
}
