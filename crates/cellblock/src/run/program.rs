//! The program that is to be run, and the files that come with it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use session::Session;

use super::bring;
use crate::hints::Hint;
use crate::place::told;

/// The largest program, bytes. What is larger is data.
const LARGEST: u64 = 4 << 20;

/// A program.
#[derive(Debug)]
pub(crate) struct Program {
    /// Its text.
    pub(crate) source: String,
    /// What its tracebacks call it.
    pub(crate) name: String,
    /// Where it lies; a program from standard input lies nowhere.
    directory: Option<PathBuf>,
}

/// A file to be brought into the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Brought {
    /// Where it is.
    pub(crate) from: PathBuf,
    /// What it is called in the cell.
    pub(crate) to: PathBuf,
}

impl Program {
    /// Reads the program; `-` is standard input.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Program> {
        let what = format!("read the program `{}`", told(path));
        if path == Path::new("-") {
            return Ok(Program {
                source: text(io::stdin(), &what)?,
                name: "<stdin>".to_owned(),
                directory: None,
            });
        }
        if let Some(extension) = path.extension().and_then(|extension| extension.to_str())
            && matches!(extension, "js" | "mjs" | "cjs" | "ts" | "mts" | "ipynb" | "sh" | "r" | "R")
        {
            let hint = "this version runs programs in Python";
            return Err(Hint::new(format!("run `{}`: it is no Python program", told(path)), hint).into());
        }
        let file = File::open(path).map_err(|error| {
            let hint = match error.kind() {
                io::ErrorKind::NotFound => "the path is one on this machine, seen from the working directory",
                _ => "the program is read before the cell is made, with your own rights",
            };
            Hint::new(what.clone(), hint).because(error)
        })?;
        if file.metadata()?.is_dir() {
            return Err(Hint::new(what, "name the program in the directory")
                .because(io::ErrorKind::IsADirectory.into())
                .into());
        }
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Program { source: text(file, &what)?, name, directory: Some(directory) })
    }

    /// What the program needs of its own directory, and what else is to be brought.
    pub(crate) fn files(&self, others: &[PathBuf]) -> anyhow::Result<Vec<Brought>> {
        let mut files = Vec::new();
        if let Some(directory) = &self.directory {
            let needed = bring::needed(&self.source, directory);
            files.extend(needed.into_iter().map(|to| Brought { from: directory.join(&to), to }));
        }
        for other in others {
            let what = format!("bring `{}` into the cell", told(other));
            let found = below(other).map_err(|error| {
                Hint::new(what, "`--file` names a file or a directory on this machine").because(error)
            })?;
            for each in found {
                files.retain(|file: &Brought| file.to != each.to);
                files.push(each);
            }
        }
        Ok(files)
    }
}

/// Whether this module is among the files that are brought.
pub(crate) fn has_module(module: &str, files: &[Brought]) -> bool {
    let (file, package) = (PathBuf::from(format!("{module}.py")), Path::new(module));
    files.iter().any(|brought| brought.to == file || brought.to.starts_with(package))
}

fn text(from: impl Read, what: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Hint::new(what, "is it a file?").because(error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Hint::new(
            format!("{what}: it is larger than {} MiB", LARGEST >> 20),
            "read data from a file",
        )
        .into());
    }
    let source = String::from_utf8(bytes).map_err(|_| {
        Hint::new(format!("{what}: it is not UTF-8"), "save it as UTF-8, which Python expects")
    })?;
    Ok(source.strip_prefix('\u{feff}').map_or(source.clone(), str::to_owned))
}

/// A file under its own name, or everything below a directory under the directory's.
fn below(path: &Path) -> io::Result<Vec<Brought>> {
    let path = path.canonicalize()?;
    let name = PathBuf::from(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
    if path.is_file() {
        return Ok(vec![Brought { from: path, to: name }]);
    }
    let mut files = Vec::new();
    let mut directories = vec![(path, name)];
    while let Some((from, to)) = directories.pop() {
        for entry in fs::read_dir(&from)? {
            let entry = entry?;
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            // A link into a directory may lead round in a circle; one to a file is brought as the file.
            if entry.file_type()?.is_dir() {
                directories.push((from, to));
            } else if from.is_file() {
                files.push(Brought { from, to });
            }
        }
    }
    files.sort_by(|a, b| a.to.cmp(&b.to));
    Ok(files)
}

/// Brings the files into the session's workspace.
pub(crate) async fn bring_in(session: &Session, files: &[Brought]) -> anyhow::Result<()> {
    for file in files {
        let what = || format!("bring `{}` into the cell", told(&file.from));
        let content = File::open(&file.from).map_err(|error| anyhow::Error::new(error).context(what()))?;
        session
            .create_file(file.to.clone(), content)
            .await
            .map_err(|error| anyhow::Error::new(error).context(what()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_brings_its_files_and_others_that_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("program.py"), "\u{feff}import helpers\nopen('sales.csv')").unwrap();
        fs::write(at("sales.csv"), "").unwrap();
        fs::write(at("helpers.py"), "").unwrap();
        fs::create_dir_all(at("elsewhere/inner")).unwrap();
        fs::write(at("elsewhere/inner/x"), "").unwrap();
        fs::write(at("elsewhere/sales.csv"), "").unwrap();
        let program = Program::read(&at("program.py")).unwrap();
        assert_eq!((program.name.as_str(), program.source.starts_with("import")), ("program.py", true));
        let files = program.files(&[at("elsewhere"), at("elsewhere/sales.csv")]).unwrap();
        let names: Vec<String> = files.iter().map(|file| file.to.display().to_string()).collect();
        assert_eq!(names, ["helpers.py", "elsewhere/inner/x", "elsewhere/sales.csv", "sales.csv"]);
        // What is named on the command line wins.
        assert!(files[3].from.ends_with("elsewhere/sales.csv"));
        assert!(has_module("helpers", &files) && !has_module("torch", &files));
        assert!(program.files(&[at("missing")]).is_err());
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("latin.py"), b"# \xe9").unwrap();
        fs::write(at("large.py"), vec![b'#'; LARGEST as usize + 1]).unwrap();
        for (name, said) in [
            ("missing.py", "read the program"),
            ("page.ts", "no Python program"),
            ("latin.py", "not UTF-8"),
            ("large.py", "larger than 4 MiB"),
            ("", "read the program"),
        ] {
            let error = Program::read(&at(name)).unwrap_err().to_string();
            assert!(error.contains(said), "{name}: {error}");
        }
    }
}
