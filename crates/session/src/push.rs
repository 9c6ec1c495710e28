//! Saving files of a running session.
//!
//! Paths are what the cell's own programs would write: relative to where the interpreter works, or absolute. What they
//! name in the workspace is the working copy's business. Elsewhere init opens a file as the cell's user, and its content
//! is saved under its last name with what code made.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;
use workspace::{CODE_INTERPRETER, LeftOut, Saved, SavedFile, Workspace, WorkspacePath};

use crate::cell_files::OpenFile;
use crate::error::{Error, Result};
use crate::fault::FileFault;
use crate::session::Session;
use crate::task::Message;

/// How often a file is read again that was written to meanwhile.
const TRIES: u32 = 3;
/// What a working copy says of what it does not have; more can be said here.
const NOT_THERE: &str = "there is no such file";
/// The most names that are told of what is there instead.
const TOLD: usize = 5;

/// Files to be saved, and who waits for it.
pub(crate) struct PushOrder {
    /// All that changed, whatever else is wanted.
    pub(crate) all: bool,
    /// Of the working copy, seen from it.
    pub(crate) inside: Vec<PathBuf>,
    /// From elsewhere in the cell.
    pub(crate) outside: Vec<Outside>,
    pub(crate) answer: oneshot::Sender<Result<Saved>>,
}

/// A file that is not in the workspace.
pub(crate) struct Outside {
    local: PathBuf,
    path: WorkspacePath,
    opened: OpenFile,
}

impl Session {
    /// Saves files: these, whether they changed or not, and of directories everything that is in them; or, for none,
    /// everything that changed. When this returns they are durable. Nothing that runs waits for it.
    ///
    /// Paths are as the cell's programs would write them, without wildcards. A file outside the workspace (`/tmp/a.png`,
    /// `~/a.png`) is saved as `code-interpreter/a.png`. What was not saved is told, with the reason. A session that
    /// ends meanwhile saves first what it was asked for; [`Error::Ended`] says that it was not asked in time.
    pub async fn push(&self, paths: Vec<PathBuf>) -> Result<Saved> {
        let Some(workspace) = self.workspace() else { return Err(Error::NoWorkspace) };
        let (mount, most) = (Path::new(self.mount().as_str()), self.disk_limit());
        let base = if paths.iter().any(|path| is_relative(path)) {
            self.working_directory().await?
        } else {
            PathBuf::from("/")
        };
        let mut left_out = Vec::new();
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for path in &paths {
            let absolute = absolute(&base, path);
            // The usual name leads to it, wherever it is.
            let local = absolute.strip_prefix(mount).or_else(|_| absolute.strip_prefix(policy::WORKSPACE));
            match local {
                Ok(local) => inside.push((local.to_owned(), path)),
                Err(_) => match self.outside(&absolute, most).await? {
                    Ok(file) => outside.push(file),
                    Err(why) => left_out.push(LeftOut { local: path.clone(), why, failed: false }),
                },
            }
        }
        let wanted: Vec<PathBuf> = inside.iter().map(|(local, _)| local.clone()).collect();
        let mut saved = Saved::default();
        if paths.is_empty() || !wanted.is_empty() || !outside.is_empty() {
            saved = self.order_push(paths.is_empty(), wanted, outside).await?;
        }
        for (local, path) in inside {
            let missing = |left: &LeftOut| left.local == local && left.why == NOT_THERE;
            saved.left_out.retain(|left| !missing(left));
            let files = saved.files.iter().map(|file| &file.local);
            let left = saved.left_out.iter().map(|left| &left.local);
            if !files.chain(left).any(|told| told.starts_with(&local)) {
                let why = self.why_nothing(&mount.join(&local)).await;
                left_out.push(LeftOut { local: path.clone(), why, failed: false });
            }
        }
        tracing::debug!(session = %self.id(), workspace = %workspace.name(), files = saved.files.len(), "files were saved");
        saved.left_out.extend(left_out);
        Ok(saved)
    }

    async fn order_push(&self, all: bool, inside: Vec<PathBuf>, outside: Vec<Outside>) -> Result<Saved> {
        let (answer, saved) = oneshot::channel();
        self.send(Message::Push(Box::new(PushOrder { all, inside, outside, answer })))?;
        saved.await.map_err(|_| Error::Ended)?
    }

    /// Opens a file that is not in the workspace; else, why it is not saved.
    async fn outside(&self, path: &Path, most: u64) -> Result<std::result::Result<Outside, String>> {
        let name = path.file_name().unwrap_or(OsStr::new("/"));
        let saved_as = match WorkspacePath::below(CODE_INTERPRETER, Path::new(name)) {
            Ok(path) => path,
            Err(refused) => return Ok(Err(refused.why().to_owned())),
        };
        let opened = match self.read_file(path).await {
            Ok(opened) => opened,
            Err(Error::CellFile { fault: FileFault::NotFound, .. }) => {
                return Ok(Err(self.why_nothing(path).await));
            }
            Err(Error::CellFile { fault: FileFault::IsADirectory, .. }) => {
                let why = "it is a directory outside the workspace, of which files are saved one by one";
                return Ok(Err(why.to_owned()));
            }
            Err(Error::CellFile { fault, .. }) => return Ok(Err(fault.to_string())),
            Err(other) => return Err(other),
        };
        if opened.size > most {
            return Ok(Err(format!("it is larger than the session's disk limit of {} MiB", most >> 20)));
        }
        Ok(Ok(Outside { local: path.to_owned(), path: saved_as, opened }))
    }

    /// Why nothing was saved of a path of which nothing was said.
    async fn why_nothing(&self, path: &Path) -> String {
        match self.list_directory(path).await {
            Ok(listing) if listing.entries.is_empty() => return "it is an empty directory".to_owned(),
            Ok(_) => return "there is no file in it".to_owned(),
            Err(Error::CellFile { fault: FileFault::NotADirectory | FileFault::NotFound, .. }) => {}
            Err(error) => return error.to_string(),
        }
        let above = path.parent().unwrap_or(Path::new("/"));
        let there = match self.list_directory(above).await {
            Ok(listing) => listing.entries,
            Err(_) => return format!("there is no such file, and no directory `{}`", above.display()),
        };
        let names: Vec<String> =
            there.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect();
        let wanted = path.file_name().unwrap_or_default().to_string_lossy();
        there_is(&similar(&wanted, names), above)
    }
}

fn there_is(names: &[String], directory: &Path) -> String {
    let directory = directory.display();
    match names {
        [] => format!("there is no such file, and nothing of a similar name in `{directory}`"),
        names => format!("there is no such file; in `{directory}` there is `{}`", names.join("`, `")),
    }
}

/// Whether a path starts where the interpreter works.
fn is_relative(path: &Path) -> bool {
    path.is_relative() && !path.starts_with("~")
}

/// A path of the cell as people write it, without `.` and `..`. What links there are on the way, only the cell knows.
fn absolute(base: &Path, path: &Path) -> PathBuf {
    let path = match path.strip_prefix("~") {
        Ok(rest) => Path::new(policy::HOME).join(rest),
        Err(_) => base.join(path),
    };
    let mut absolute = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::ParentDir => _ = absolute.pop(),
            Component::Normal(name) => absolute.push(name),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    absolute
}

/// Names that may have been meant: the same but for case or ending, or one that contains the other.
fn similar(wanted: &str, mut names: Vec<String>) -> Vec<String> {
    let stem = |name: &str| name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_lowercase();
    let (low, wanted_stem) = (wanted.to_lowercase(), stem(wanted));
    let distance = |name: &String| {
        let other = name.to_lowercase();
        if other == low {
            return Some(0);
        }
        if stem(name) == wanted_stem {
            return Some(1);
        }
        let contains = wanted_stem.len() > 2 && other.contains(&wanted_stem)
            || low.contains(&stem(name)) && stem(name).len() > 2;
        let near = low.len() > 3 && edits(&low, &other) <= 2;
        (contains || near).then_some(2)
    };
    names.retain(|name| distance(name).is_some());
    names.sort_by_key(|name| (distance(name), name.clone()));
    names.truncate(TOLD);
    names
}

/// How many letters must be changed, added or left out to make one name of the other.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(256).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().take(256).enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let change = before + usize::from(a != *b);
            before = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(before + 1);
        }
    }
    row[other.len()]
}

impl Outside {
    /// Saves it, if it holds still. When this returns it is durable.
    pub(crate) async fn save(self, workspace: &Workspace, saved: &mut Saved) -> workspace::Result<()> {
        let Outside { local, path, opened } = self;
        for _ in 0..TRIES {
            let moved = Arc::new(AtomicBool::new(false));
            let steady = opened.file.try_clone().and_then(|file| Steady::new(file, moved.clone()));
            let steady = match steady {
                Ok(steady) => steady,
                Err(error) => {
                    saved.left_out.push(LeftOut { local, why: error.to_string(), failed: true });
                    return Ok(());
                }
            };
            match workspace.write_from(&path, steady).await {
                Ok(stored) => {
                    saved.files.push(SavedFile { local, stored, written: true });
                    return Ok(());
                }
                Err(_) if moved.load(Ordering::Relaxed) => {}
                Err(error) => return Err(error),
            }
        }
        let why = "it is being written to all the time".to_owned();
        saved.left_out.push(LeftOut { local, why, failed: true });
        Ok(())
    }
}

/// A file's content, if it is the same file from the first byte to the last.
struct Steady {
    file: File,
    look: (u64, i64, i64),
    left: u64,
    moved: Arc<AtomicBool>,
}

impl Steady {
    fn new(mut file: File, moved: Arc<AtomicBool>) -> io::Result<Steady> {
        file.seek(SeekFrom::Start(0))?;
        let look = look(&file)?;
        Ok(Steady { file, look, left: look.0, moved })
    }
}

impl Read for Steady {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.file.read(&mut buffer[..most])?;
        self.left -= read as u64;
        if read == 0 && (self.left > 0 || look(&self.file)? != self.look) && !buffer.is_empty() {
            self.moved.store(true, Ordering::Relaxed);
            return Err(io::Error::other("the file was changed while it was read"));
        }
        Ok(read)
    }
}

/// What changes when a file's content does.
fn look(file: &File) -> io::Result<(u64, i64, i64)> {
    let found = file.metadata()?;
    Ok((found.len(), found.ctime(), found.ctime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_what_programs_would_write() {
        let shown = |base: &str, path: &str| absolute(Path::new(base), Path::new(path)).display().to_string();
        assert_eq!(shown("/mnt/workspace", "a/./b/../c"), "/mnt/workspace/a/c");
        assert_eq!(shown("/mnt/workspace/deep", "../a"), "/mnt/workspace/a");
        assert_eq!(shown("/tmp", "/mnt/workspace/"), "/mnt/workspace");
        assert_eq!(shown("/tmp", "~/x"), "/home/user/x");
        assert_eq!(shown("/tmp", "~x"), "/tmp/~x");
        assert_eq!(shown("/", "../../.."), "/");
    }

    #[test]
    fn names_that_may_have_been_meant_are_told() {
        let there = ["Chart.png", "chart.svg", "my_chart_2.png", "notes.txt", "charts", "x"];
        let told = |wanted| similar(wanted, there.map(str::to_owned).to_vec());
        assert_eq!(told("chart.png"), ["Chart.png", "chart.svg", "charts", "my_chart_2.png"]);
        assert_eq!(told("note.txt"), ["notes.txt"]);
        assert_eq!(told("unlike.bin"), Vec::<String>::new());
        assert_eq!(edits("kitten", "sitting"), 3);
    }

    #[test]
    fn content_that_changes_while_it_is_read_is_no_content() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "0123456789").unwrap();
        let steady = || {
            let moved = Arc::new(AtomicBool::new(false));
            (Steady::new(File::open(file.path()).unwrap(), moved.clone()).unwrap(), moved)
        };
        let (mut whole, _) = steady();
        assert_eq!(io::read_to_string(&mut whole).unwrap(), "0123456789");
        let (mut cut, moved) = steady();
        cut.read_exact(&mut [0; 4]).unwrap();
        std::fs::write(file.path(), "01").unwrap();
        assert!(cut.read_to_end(&mut Vec::new()).is_err() && moved.load(Ordering::Relaxed));
    }
}
