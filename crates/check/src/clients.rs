//! Clients that were not written for this tree against its servers: the suites below `clients/`, unmodified clients of
//! AWS and of MCP from their registries, installed from lock files with hashes.
//!
//! Python and Node are those of the environment `lean`, so that a machine needs neither. What is installed lies below
//! the target directory and is installed anew when its lock changes. Without a registry the step is skipped, except in
//! CI, where that would go unseen.

mod leftovers;
mod server;
mod side_by_side;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::environment;
use crate::step::Verdict;
use crate::user::{Made, User};
use crate::workspace::{Workspace, run};

use server::Server;
use side_by_side::Job;

/// Names another environment for the server than `full`; with a smaller one some examples are skipped.
const SERVED: &str = "CELLBLOCK_TEST_ENV";

/// Names a server of an ordinary user's, for what is to be shown there: when we are root, and may make one.
const OF_USER: &str = "CELLBLOCK_USER_URL";

/// Modules of the Python suite that look at what the server's process holds: nothing may run beside them.
const ALONE: &[&str] = &["test_load"];
/// Those that take longest; they begin first.
const LONG: &[&str] = &["test_javascript", "test_raw"];

/// Runs both suites against one server.
pub(crate) fn tests(workspace: &Workspace) -> Result<Verdict> {
    let program = environment::program(workspace)?;
    let lean = lean(workspace, &program)?;
    let suites = Suites {
        sources: workspace.root.join("clients"),
        installed: workspace.target.join("test-data/clients"),
        lean,
        program: program.clone(),
        environments: environment::directory(workspace),
    };
    if let Err(error) = suites.install() {
        if env::var_os("CI").is_some() {
            return Err(error);
        }
        return Ok(Verdict::Skipped(format!("the clients could not be installed: {error:#}")));
    }
    let served = env::var(SERVED).unwrap_or_else(|_| "full".to_owned());
    // No path of one server's may be a part of another's: by it we know whose is what is left behind.
    let place = format!("cellblock-clients-{}", std::process::id());
    let server = suites.serve(Command::new(&program), &served, env::temp_dir().join(place), "server")?;
    println!("a server with `{served}` at {}", server.url());
    let user = match User::make(workspace, std::iter::once(program.as_path()))? {
        Made::User(user) => Some(user),
        Made::None(why) => {
            println!("no server of an ordinary user's: {why}");
            None
        }
    };
    let of_user = match &user {
        Some(user) => {
            let command = user.program(workspace, &program);
            Some(suites.serve(command, "lean", user.temporary().join("server"), "server-of-user")?)
        }
        None => None,
    };
    let mut failed: Vec<anyhow::Error> = Vec::new();
    let mut jobs = vec![suites.node(&server)?];
    for module in suites.modules()? {
        let mut job = suites.python(&server, &module);
        if let Some(server) = &of_user {
            job.command.env(OF_USER, server.url());
        }
        jobs.push(job);
    }
    failed.extend(side_by_side::run(jobs));
    for module in ALONE {
        failed.extend(side_by_side::run(vec![suites.python(&server, module)]));
    }
    for server in std::iter::once(server).chain(of_user) {
        failed.extend(ended(server));
    }
    if let Some(user) = user {
        failed.extend(user.left_behind()?.into_iter().map(|thing| anyhow!("left behind: {thing}")));
    }
    let Some(first) = failed.first() else { return Ok(Verdict::Passed) };
    for error in &failed {
        println!("{error:#}");
    }
    bail!("{first:#}")
}

/// Stops a server; gives what was wrong with it, and then shows the end of its log.
fn ended(server: Server) -> Vec<anyhow::Error> {
    let log = server.log_file();
    let mut failed = Vec::from_iter(server.stop().err());
    let said = fs::read_to_string(&log).unwrap_or_default();
    for word in ["panicked", " ERROR "] {
        if let Some(line) = said.lines().find(|line| line.contains(word)) {
            failed.push(anyhow!("the server's log has a line that must not be there: {line}"));
        }
    }
    if !failed.is_empty() {
        let lines: Vec<&str> = said.lines().collect();
        println!("-- the end of {}:", log.display());
        for line in lines.iter().skip(lines.len().saturating_sub(40)) {
            println!("{line}");
        }
    }
    failed
}

/// Where the environment `lean` is, as `cellblock` tells it.
fn lean(workspace: &Workspace, program: &Path) -> Result<PathBuf> {
    let output = Command::new(program)
        .args(["env", "show", "lean", "--json", "--environments"])
        .arg(environment::directory(workspace))
        .output()?;
    let shown: Value = serde_json::from_slice(&output.stdout).context("`cellblock env show` gave no JSON")?;
    Ok(shown["path"].as_str().context("`cellblock env show` gave no path")?.into())
}

/// The suites, and what they need.
struct Suites {
    sources: PathBuf,
    installed: PathBuf,
    /// The environment whose Python and Node run them.
    lean: PathBuf,
    /// What clients start themselves that speak over stdin and stdout.
    program: PathBuf,
    /// Where it finds its environments.
    environments: PathBuf,
}

impl Suites {
    /// Starts a server with this environment, `program` being cellblock.
    fn serve(&self, program: Command, environment: &str, data: PathBuf, log: &str) -> Result<Server> {
        let log = self.installed.join(log).with_extension("log");
        Server::start(program, &self.environments, environment, data, log)
    }

    fn install(&self) -> Result<()> {
        let python = self.sources.join("python/requirements.txt");
        self.once("python", &python, |place| {
            let mut pip = Command::new(self.program("python"));
            pip.args(["-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            pip.args(["--no-deps", "--require-hashes", "--only-binary", ":all:", "--target"]).arg(place);
            run(pip.arg("--requirement").arg(&python))
        })?;
        let node = self.sources.join("node/package-lock.json");
        self.once("node", &node, |place| {
            for file in ["package.json", "package-lock.json"] {
                fs::copy(self.sources.join("node").join(file), place.join(file))?;
            }
            // Started by its interpreter: its first line names the one of a cell.
            let mut npm = Command::new(self.program("node"));
            npm.arg(fs::canonicalize(self.program("npm")).context("find npm")?);
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
            run(npm.current_dir(place))
        })
    }

    /// Installs below `name` what a lock asks for, unless that is there. A mark, written last, tells.
    fn once(&self, name: &str, lock: &Path, install: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let place = self.installed.join(name);
        let mark = place.join(".installed");
        let wanted = format!("{}\n{}", self.lean.display(), fs::read_to_string(lock)?);
        if fs::read_to_string(&mark).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        fs::create_dir_all(&place)?;
        install(&place)?;
        Ok(fs::write(mark, wanted)?)
    }

    fn program(&self, name: &str) -> PathBuf {
        self.lean.join("bin").join(name)
    }

    /// The modules of the Python suite that may run beside each other.
    fn modules(&self) -> Result<Vec<String>> {
        let mut modules = Vec::new();
        for entry in fs::read_dir(self.sources.join("python/tests"))? {
            let file = entry?.file_name();
            let Some(name) = file.to_string_lossy().strip_suffix(".py").map(str::to_owned) else { continue };
            if name.starts_with("test_") && !ALONE.contains(&name.as_str()) {
                modules.push(name);
            }
        }
        modules.sort_by_key(|name| (!LONG.contains(&name.as_str()), name.clone()));
        Ok(modules)
    }

    fn python(&self, server: &Server, module: &str) -> Job {
        let mut command = self.suite("python", server);
        command.current_dir(self.sources.join("python"));
        command.args(["-B", "-m", "unittest", "--verbose"]).arg(format!("tests.{module}"));
        command.env("PYTHONPATH", self.installed.join("python"));
        Job { name: format!("python -m unittest tests.{module}"), command }
    }

    /// Node looks for packages beside the file that wants them, so the tests are copied to where those are.
    fn node(&self, server: &Server) -> Result<Job> {
        let place = self.installed.join("node");
        let tests = place.join("test");
        if tests.exists() {
            fs::remove_dir_all(&tests)?;
        }
        fs::create_dir(&tests)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(self.sources.join("node/test"))? {
            let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
            fs::copy(path, tests.join(&name))?;
            files.extend(name.to_string_lossy().ends_with(".test.js").then_some(name));
        }
        files.sort();
        let mut command = self.suite("node", server);
        command.current_dir(&tests).args(["--test", "--test-reporter=spec"]).args(files);
        Ok(Job { name: "node --test (clients/node)".to_owned(), command })
    }

    fn suite(&self, program: &str, server: &Server) -> Command {
        let mut command = Command::new(self.program(program));
        // A client must find nothing of this machine's accounts.
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.env("CELLBLOCK_URL", server.url()).env("CELLBLOCK_PID", server.pid().to_string());
        command.env("CELLBLOCK_LOG_FILE", server.log_file());
        command.env("CELLBLOCK_PROGRAM", &self.program).env(environment::VARIABLE, &self.environments);
        command
    }
}
