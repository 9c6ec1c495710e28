//! An ordinary user of this machine, made for what is to run without any right.
//!
//! The user is real (an entry in the system's user table where `useradd` can make one): what such a user has not is
//! exactly what rootless mode has to do without. It also makes one thing visible that root's own runs cannot show: every
//! process and file that this user has afterwards was left behind.

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, Result};

use crate::environment;
use crate::passage::Passage;
use crate::suite::has_program;
use crate::workspace::{Executable, Workspace, answers};

/// What our users' names begin with; the id of the process that made them follows.
const PREFIX: &str = "cellblock-check-";

/// How long processes of the last program may take to go.
const GRACE: Duration = Duration::from_secs(10);

/// A user of this machine without any right; goes away with its files and processes when dropped.
pub(crate) struct User {
    name: String,
    uid: u32,
    gid: u32,
    /// Root's; holds what the user needs.
    directory: PathBuf,
    /// What opens the way to our programs for it.
    passage: Vec<OsString>,
}

/// What came of making one.
pub(crate) enum Made {
    User(User),
    /// There is none, and why.
    None(String),
}

impl User {
    /// Makes a user that can run these programs of ours.
    pub(crate) fn make<'a>(workspace: &Workspace, programs: impl Iterator<Item = &'a Path>) -> Result<Made> {
        if fs::metadata("/proc/self")?.uid() != 0 {
            return Ok(Made::None("not root; all tests ran as an ordinary user".to_owned()));
        }
        if !has_program("setpriv") || !has_program("unshare") {
            return Ok(Made::None("no `setpriv` and `unshare`; util-linux has them".to_owned()));
        }
        let mut user = Self::create()?;
        let places = [workspace.root.clone(), workspace.target.clone(), environment::directory(workspace)];
        let passage = Passage::to(&places)?;
        if let Some(closed) = passage.first_closed()
            && !passage.can_be_opened(&user.directory)?
        {
            let closed = closed.display();
            return Ok(Made::None(format!("others cannot enter {closed}, and this root may not mount")));
        }
        user.passage = passage.prefix(&user.directory)?;
        for program in programs {
            if !answers(user.command(Path::new("test")).arg("-x").arg(program)) {
                let program = program.display();
                return Ok(Made::None(format!("others may not run {program}: a strict umask?")));
            }
        }
        println!("as uid {} (`{}`)", user.uid, user.name);
        Ok(Made::User(user))
    }

    fn create() -> Result<Self> {
        sweep()?;
        let name = format!("{PREFIX}{}", std::process::id());
        // Short, because the path of a socket below it must fit into 107 bytes.
        let directory = Path::new("/tmp").join(&name);
        let home = directory.join("home");
        let made = Command::new("useradd")
            .args(["--user-group", "--no-create-home", "--home-dir"])
            .arg(&home)
            .arg(&name)
            .status();
        let (uid, gid) = if made.is_ok_and(|status| status.success()) {
            (id(&name, "-u")?, id(&name, "-g")?)
        } else {
            let free = (61_184..65_520).find(|uid| !answers(Command::new("id").arg(uid.to_string())));
            let uid = free.context("no uid is free")?;
            println!("no `useradd` here: a user without an entry in the user table");
            (uid, uid)
        };
        let user = Self { name, uid, gid, directory, passage: Vec::new() };
        fs::create_dir(&user.directory)?;
        fs::set_permissions(&user.directory, Permissions::from_mode(0o711))?;
        for own in [&home, &user.temporary(), &user.runtime()] {
            fs::DirBuilder::new().mode(0o700).create(own)?;
            chown(own, Some(uid), Some(gid))?;
        }
        Ok(user)
    }

    /// Its own directory for what does not last.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.directory.join("tmp")
    }

    fn runtime(&self) -> PathBuf {
        self.directory.join("run")
    }

    /// `program` as this user, in surroundings as bare as a login's.
    fn command(&self, program: &Path) -> Command {
        let mut words = self.passage.clone();
        words.push("setpriv".into());
        words.extend([format!("--reuid={}", self.uid).into(), format!("--regid={}", self.gid).into()]);
        words.extend(["--clear-groups", "--inh-caps=-all", "--"].map(OsString::from));
        words.push(program.into());

        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear();
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("LANG", "C.UTF-8").env("SHELL", "/bin/sh");
        command.env("USER", &self.name).env("LOGNAME", &self.name);
        command
            .env("HOME", self.directory.join("home"))
            .env("TMPDIR", self.temporary())
            .env("XDG_RUNTIME_DIR", self.runtime());
        command
    }

    /// A program of ours as this user, with where the environments are.
    pub(crate) fn program(&self, workspace: &Workspace, program: &Path) -> Command {
        let mut command = self.command(program);
        command.env(environment::VARIABLE, environment::directory(workspace));
        command
    }

    /// The tests of `executable` as this user, run by `program`, with what cargo tells tests.
    pub(crate) fn tests(
        &self,
        workspace: &Workspace,
        executable: &Executable,
        built: &[Executable],
        program: &Path,
    ) -> Command {
        let mut command = self.program(workspace, program);
        command.current_dir(&executable.package);
        command.env("CARGO_MANIFEST_DIR", &executable.package);
        // A snapshot test that fails must not try to write beside itself.
        command.env("INSTA_UPDATE", "no").env("INSTA_WORKSPACE_ROOT", &workspace.root);
        for variable in ["CI", "RUST_BACKTRACE", "RUST_LOG"] {
            command.envs(env::var_os(variable).map(|value| (variable, value)));
        }
        for program in built.iter().filter(|built| !built.test && built.package == executable.package) {
            if let Some(name) = program.path.file_name() {
                let mut variable = OsString::from("CARGO_BIN_EXE_");
                variable.push(name);
                command.env(variable, &program.path);
            }
        }
        command
    }

    /// What this user still has some time after the last test.
    pub(crate) fn left_behind(&self) -> Result<Vec<String>> {
        let deadline = Instant::now() + GRACE;
        while !processes(self.uid)?.is_empty() && Instant::now() < deadline {
            sleep(Duration::from_millis(50));
        }
        let mut left: Vec<String> =
            processes(self.uid)?.into_iter().map(|(pid, line)| format!("process {pid}: {line}")).collect();
        for shared in ["/tmp", "/var/tmp", "/dev/shm", "/run"] {
            left.extend(
                entries(Path::new(shared))?
                    .into_iter()
                    .filter(|entry| owner(entry) == Some(self.uid))
                    .map(|entry| entry.display().to_string()),
            );
        }
        left.extend(entries(&self.temporary())?.into_iter().map(|entry| entry.display().to_string()));
        Ok(left)
    }
}

impl Drop for User {
    fn drop(&mut self) {
        for (pid, _) in processes(self.uid).unwrap_or_default() {
            answers(Command::new("kill").args(["-KILL", &pid.to_string()]));
        }
        remove(&self.name, &self.directory);
    }
}

/// Removes what runs of this check left that were killed.
fn sweep() -> Result<()> {
    let users = fs::read_to_string("/etc/passwd")?;
    let mut names: Vec<String> =
        users.lines().filter_map(|line| line.split(':').next()).map(str::to_owned).collect();
    let files = entries(Path::new("/tmp"))?;
    names.extend(files.iter().filter_map(|file| Some(file.file_name()?.to_str()?.to_owned())));
    let own = std::process::id().to_string();
    for name in names {
        if let Some(pid) = name.strip_prefix(PREFIX)
            && (pid == own || !Path::new("/proc").join(pid).exists())
        {
            remove(&name, &Path::new("/tmp").join(&name));
        }
    }
    Ok(())
}

fn remove(name: &str, directory: &Path) {
    if answers(Command::new("id").arg(name)) && !answers(Command::new("userdel").arg(name)) {
        println!("the user `{name}` could not be removed");
    }
    if directory.exists()
        && let Err(error) = fs::remove_dir_all(directory)
    {
        println!("{} could not be removed: {error}", directory.display());
    }
}

fn id(name: &str, which: &str) -> Result<u32> {
    let output = Command::new("id").args([which, name]).output()?;
    String::from_utf8(output.stdout)?.trim().parse().with_context(|| format!("no id of `{name}`"))
}

/// The processes of a user, each with its command line.
fn processes(uid: u32) -> Result<Vec<(u32, String)>> {
    let mut found = Vec::new();
    for entry in entries(Path::new("/proc"))? {
        let pid = entry.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
        let Some(pid) = pid.filter(|_| has_uid(&entry, uid)) else { continue };
        let line = fs::read(entry.join("cmdline")).unwrap_or_default();
        found.push((pid, String::from_utf8_lossy(&line).replace('\0', " ").trim().to_owned()));
    }
    Ok(found)
}

/// Whether a process is of a user and lives. Its directory in /proc would not do: root owns that of a process
/// that is not dumpable.
fn has_uid(process: &Path, uid: u32) -> bool {
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    let field = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
    // Who adopts orphans in a container may never reap them.
    !field("State:").starts_with('Z')
        && field("Uid:").split_whitespace().any(|field| field.parse() == Ok(uid))
}

fn owner(path: &Path) -> Option<u32> {
    fs::symlink_metadata(path).ok().map(|metadata| metadata.uid())
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let listed =
        fs::read_dir(directory).with_context(|| format!("failed to list {}", directory.display()))?;
    listed.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_is_found_by_its_user() {
        let uid = fs::metadata("/proc/self").unwrap().uid();
        let own = std::process::id();
        assert!(processes(uid).unwrap().iter().any(|(pid, line)| *pid == own && !line.is_empty()));
        assert!(processes(uid + 1).unwrap().iter().all(|(pid, _)| *pid != own));
    }
}
