//! Attacks in a real cell.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cell::{Cell, Node, NodeOptions};
use policy::{ENVIRONMENT, WORKSPACE};
use protocol::{CallId, Decoder, Frame, Kind, Sender, Spawn};

use crate::scene::program;
use crate::{Attack, PYTHON, Scene, Tried, request};

/// After this long a cell does not answer any more.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node whose cells are attacked from within.
#[derive(Debug)]
pub struct Whole<'a> {
    scene: &'a Scene,
    node: Mutex<Node>,
}

impl<'a> Whole<'a> {
    /// Starts it, from a process that has forgotten to close a file and a directory.
    pub fn start(scene: &'a Scene) -> io::Result<Whole<'a>> {
        let leak = scene.scratch.join("leak");
        fs::create_dir(&leak)?;
        fs::write(leak.join("secret.txt"), "")?;
        sys::privilege::place(fs::File::open(leak.join("secret.txt"))?.into(), 200)?;
        sys::privilege::place(fs::File::open(&leak)?.into(), 201)?;
        let options = NodeOptions {
            data: scene.scratch.join("data"),
            environment: scene.environment.clone(),
            runtime: "/usr/lib".into(),
            total_memory: None,
        };
        Ok(Whole { scene, node: Mutex::new(Node::start(&options).map_err(io::Error::other)?) })
    }

    /// The launcher that makes its cells.
    pub fn launcher(&self) -> Option<OwnedFd> {
        self.node().launcher()
    }

    fn node(&self) -> MutexGuard<'_, Node> {
        self.node.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs an attack in a cell of its own. One at a time: what was forgotten to close is one and the same.
    pub fn run(&self, attack: &Attack) -> io::Result<Tried> {
        let node = self.node();
        self.scene.apart(|scene| attempt(&node, scene, attack))
    }
}

fn attempt(node: &Node, scene: &Scene, attack: &Attack) -> io::Result<Tried> {
    let request = request();
    let cell = node.create(&request).map_err(io::Error::other)?;
    let decoy = match scene.plant(&attack.decoy, "machine", cell.workspace())? {
        Ok(decoy) => decoy,
        Err(why) => return Ok(Tried::Skipped(why)),
    };
    let python = format!("{ENVIRONMENT}/{PYTHON}");
    let argv = [python.as_str(), "-I", "-S", "-c", &program(attack)?, &decoy.facts.to_string()];
    let said = command(&cell, &argv)?;
    let tried = decoy.verdict(&said);
    cell.destroy().map_err(io::Error::other)?;
    tried
}

/// Has init run a command, and gives what it wrote.
fn command(cell: &Cell, argv: &[&str]) -> io::Result<String> {
    let mut socket = cell.connect().map_err(io::Error::other)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let spawn = Spawn {
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
        env: cell.variables(),
        cwd: WORKSPACE.to_owned(),
    };
    let call = CallId(1);
    socket.write_all(&Frame::new(Kind::Hello, []).encode())?;
    socket.write_all(&Frame::new(Kind::StartCommand, spawn.encode()).call(call).encode())?;

    let mut decoder = Decoder::new(&[Sender::Init, Sender::Kernel]);
    let (mut said, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    loop {
        while let Some(frame) = decoder.next_frame().map_err(io::Error::other)? {
            match frame.kind {
                Kind::Stdout | Kind::Stderr => said.extend(frame.payload),
                Kind::CommandExited => return Ok(String::from_utf8_lossy(&said).into_owned()),
                Kind::Refused => {
                    let why = String::from_utf8_lossy(&frame.payload).into_owned();
                    return Err(io::Error::other(why));
                }
                _ => {}
            }
        }
        let read = socket.read(&mut buffer)?;
        if read == 0 {
            // The cell is gone, and what the attack could have had from it too.
            return Ok(String::from_utf8_lossy(&said).into_owned());
        }
        decoder.feed(&buffer[..read]);
    }
}
