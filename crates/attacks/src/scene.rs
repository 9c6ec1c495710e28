//! One run of one attack: its decoy, the program, and what became of the decoy.

use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::layers::{self, Ground, Layer};
use crate::{Attack, PYTHON, directory, session};

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// The attack had what it wanted.
    Succeeded,
    /// It had not; this is what its program said.
    Failed(String),
    /// It could not be tried here, and this is why.
    Skipped(String),
}

/// Where attacks run.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The environment whose interpreter runs them.
    pub environment: PathBuf,
    /// A directory of this run's own, through which every user may go.
    pub scratch: PathBuf,
    /// The program that puts up one layer.
    pub walls_apart: PathBuf,
}

impl Scene {
    /// Runs the attack behind this layer, or as the control on the ground of that layer.
    pub fn run(&self, attack: &Attack, layer: Option<Layer>, ground: Ground) -> io::Result<Tried> {
        self.apart(|scene| scene.staged(attack, layer, ground))
    }

    /// Does something in a directory of its own, with what a cell's directory has in it.
    pub(crate) fn apart<T>(&self, run: impl FnOnce(&Scene) -> io::Result<T>) -> io::Result<T> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let scratch = self.scratch.join(NUMBER.fetch_add(1, Ordering::Relaxed).to_string());
        let cell = scratch.join("cells").join(session().to_string());
        for (directory, mode) in
            [("workspace", 0o777), ("home", 0o777)].map(|(name, mode)| (cell.join(name), mode))
        {
            fs::create_dir_all(&directory)?;
            fs::set_permissions(directory, Permissions::from_mode(mode))?;
        }
        let ran = run(&Scene { scratch: scratch.clone(), ..self.clone() });
        sys::remove::tree(&scratch)?;
        ran
    }

    fn staged(&self, attack: &Attack, layer: Option<Layer>, ground: Ground) -> io::Result<Tried> {
        let workspace = self.scratch.join("cells").join(session().to_string()).join("workspace");
        let mut decoy = match self.plant(&attack.decoy, "stage", &workspace)? {
            Ok(decoy) => decoy,
            Err(why) => return Ok(Tried::Skipped(why)),
        };
        decoy.facts["control"] = json!(layer.is_none());
        let words = [
            layer.map_or("none", layers::name),
            ground.name(),
            if attack.nobody { "nobody" } else { "self" },
        ];
        let environment = decoy.facts["environment"].as_str().unwrap_or_default().to_owned();
        let mut argv = vec![self.walls_apart.display().to_string()];
        argv.extend(words.map(str::to_owned));
        argv.extend([environment, self.scratch.display().to_string()]);
        argv.extend([program(attack)?, decoy.facts.to_string()]);
        let answer = decoy.ask(&json!({ "run": argv }))?;
        let said = answer["said"].as_str().unwrap_or_default().to_owned();
        decoy.verdict(&said)
    }

    /// Plants a decoy, on a stage or on the machine itself; or says why that cannot be done here.
    pub(crate) fn plant(
        &self,
        name: &str,
        place: &str,
        workspace: &Path,
    ) -> io::Result<Result<Decoy, String>> {
        let mut secret = [0; 16];
        fs::File::open("/dev/urandom")?.read_exact(&mut secret)?;
        let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut process = Command::new(self.environment.join(PYTHON))
            .args(["-I", "-S"])
            .arg(directory().join("decoys/main.py"))
            .args([name, &secret, place])
            .args([&self.scratch, workspace, &self.environment, &self.walls_apart])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            unreachable!("both were asked for");
        };
        let mut decoy =
            Decoy { process, input: Some(input), output: BufReader::new(output), facts: Value::Null, secret };
        decoy.facts = decoy.hear()?;
        decoy.facts["control"] = json!(false);
        if let Some(why) = decoy.facts["skip"].as_str() {
            return Ok(Err(why.to_owned()));
        }
        Ok(Ok(decoy))
    }
}

/// The program as it is run: what all have in common, then its own.
pub(crate) fn program(attack: &Attack) -> io::Result<String> {
    Ok(fs::read_to_string(directory().join("prelude.py"))? + &attack.program)
}

/// Something planted, which goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Decoy {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// What the attack may know of it.
    pub(crate) facts: Value,
    secret: String,
}

impl Decoy {
    fn hear(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    fn ask(&mut self, question: &Value) -> io::Result<Value> {
        if let Some(input) = &mut self.input {
            writeln!(input, "{question}")?;
        }
        self.hear()
    }

    /// What became of it, when the attack's program has said this.
    pub(crate) fn verdict(mut self, said: &str) -> io::Result<Tried> {
        let changed = self.ask(&json!("changed"))? == json!(true);
        if changed || said.contains(&self.secret) {
            return Ok(Tried::Succeeded);
        }
        if let Some(why) = said.lines().find_map(|line| line.strip_prefix("SKIP: ")) {
            return Ok(Tried::Skipped(why.to_owned()));
        }
        if !said.contains("begun") || said.contains("BROKEN: ") {
            return Err(io::Error::other(format!("the attack's program did not run: {said}")));
        }
        Ok(Tried::Failed(said.trim().to_owned()))
    }
}

impl Drop for Decoy {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.process.wait();
    }
}
