//! The program that is to be run, and the files that come with it.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use session::{Language, Session};
use sys::tree::{self, Kind};

use super::bring::{self, Directory, Needed};
use super::text::{first_line, text};
use super::{language, libraries};
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
    /// What it is written in, and what runs it.
    pub(crate) language: Language,
    /// What it is to itself: `sys.argv[0]`.
    pub(crate) argument: String,
    /// As it was read: what is put into the workspace.
    bytes: Vec<u8>,
    /// Where it lies; a program from standard input lies nowhere.
    directory: Option<Directory>,
}

/// A file to be brought into the cell.
#[derive(Debug, Clone)]
pub(crate) struct Brought {
    /// Where it is.
    pub(crate) from: PathBuf,
    /// What it is called in the cell.
    pub(crate) to: PathBuf,
    /// The open directory that it must lie beneath, and where; the file that a person named is opened as it is.
    beneath: Option<(Arc<OwnedFd>, PathBuf)>,
}

impl Brought {
    fn open(&self) -> io::Result<File> {
        match &self.beneath {
            Some((directory, path)) => sys::file::open_below(directory.as_fd(), path),
            None => File::open(&self.from),
        }
    }
}

/// All that is to be brought, and what is not.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) brought: Vec<Brought>,
    /// What is to be said of the rest, each with what to do about it.
    pub(crate) warnings: Vec<(String, String)>,
}

impl Program {
    /// Reads the program; `-` is standard input.
    pub(crate) fn read(path: &Path, options: &language::Options) -> anyhow::Result<Program> {
        let what = format!("read the program `{}`", told(path));
        if path == Path::new("-") {
            let language = options.named()?;
            let bytes = read(io::stdin(), &what)?;
            return Ok(Program {
                source: text(&bytes, language, &what)?,
                language,
                name: "<stdin>".to_owned(),
                argument: "-".to_owned(),
                bytes,
                directory: None,
            });
        }
        options.check(path)?;
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
        let directory = Directory::open(directory)
            .map_err(|error| Hint::new(what.clone(), "its directory cannot be read").because(error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = read(file, &what)?;
        let language = options.of(path, &first_line(&bytes))?;
        Ok(Program {
            source: text(&bytes, language, &what)?,
            language,
            argument: name.clone(),
            name,
            bytes,
            directory: Some(directory),
        })
    }

    /// Where it lies; none for a program from standard input.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.directory.as_ref().map(|directory| directory.path.as_path())
    }

    /// What the program needs of its own directory, and what else is to be brought.
    pub(crate) fn files(&self, others: &[PathBuf]) -> anyhow::Result<Files> {
        let mut files = Files::default();
        let mut needed = Needed::default();
        if let Some(directory) = &self.directory {
            needed = bring::needed(&self.source, self.language, directory);
            // The program comes by itself.
            needed.files.remove(Path::new(&self.name));
            files.brought.extend(needed.files.iter().map(|to| Brought {
                from: directory.path.join(to),
                to: to.clone(),
                beneath: Some((directory.open.clone(), to.clone())),
            }));
        }
        let mut links = Vec::new();
        for other in others {
            let what = format!("bring `{}` into the cell", told(other));
            let mut found = below(other, &mut links).map_err(|error| {
                Hint::new(what, "`--file` names a file or a directory on this machine").because(error)
            })?;
            // What the program names and does not get unasked comes under the name that the program has for it.
            if let ([only], Some(directory)) = (found.as_mut_slice(), self.directory()) {
                let is_it = |path: &&PathBuf| is_same_path(&directory.join(path), other);
                if let Some(path) = needed.left_out.keys().find(is_it) {
                    only.to.clone_from(path);
                }
            }
            for each in found {
                files.brought.retain(|file: &Brought| file.to != each.to);
                files.brought.push(each);
            }
        }
        needed.left_out.retain(|path, _| !files.brought.iter().any(|file| file.to == *path));
        let directory = self.directory().unwrap_or(Path::new(""));
        files.warn(&needed, &links, directory);
        if self.language != Language::Python {
            // What is piped in imports, too.
            if self.directory.is_none() {
                needed.packages = bring::packages(&self.source);
            }
            let has = |package: &str| {
                let inner = Path::new(libraries::MODULES).join(package);
                files.brought.iter().any(|file| file.to.starts_with(&inner))
            };
            files.warnings.extend(libraries::warnings(&needed, self.directory(), has));
        }
        Ok(files)
    }

    /// Brings the program and the files into the session's workspace.
    ///
    /// The program is there under its own name for whatever starts it again: `multiprocessing` imports it in each
    /// process that it spawns. One from standard input is there only if it might do so.
    pub(crate) async fn bring_in(&self, session: &Session, files: &[Brought]) -> anyhow::Result<()> {
        let spawns = self.language == Language::Python
            && ["multiprocessing", "concurrent", "joblib"].iter().any(|name| self.source.contains(name));
        let own = files.iter().any(|file| file.to == Path::new(&self.name));
        if (self.directory.is_some() || spawns) && !own {
            let what = || format!("bring `{}` into the cell", self.name);
            let made = session.create_file(&self.name, Cursor::new(self.bytes.clone())).await;
            made.map_err(|error| anyhow::Error::new(error).context(what()))?;
        }
        for file in files {
            let what = || format!("bring `{}` into the cell", told(&file.from));
            let content = file.open().map_err(|error| anyhow::Error::new(error).context(what()))?;
            session
                .create_file(file.to.clone(), content)
                .await
                .map_err(|error| anyhow::Error::new(error).context(what()))?;
        }
        Ok(())
    }
}

impl Files {
    /// The most paths that one warning names.
    const NAMED: usize = 10;

    fn warn(&mut self, needed: &Needed, links: &[PathBuf], directory: &Path) {
        let some = |all: Vec<String>| {
            let more = all.len().saturating_sub(Self::NAMED);
            let named = all.into_iter().take(Self::NAMED).collect::<Vec<_>>().join(", ");
            if more == 0 { named } else { format!("{named} and {more} more") }
        };
        if !needed.left_out.is_empty() {
            let all =
                needed.left_out.iter().map(|(path, why)| format!("\n  {} ({})", told(path), why.told()));
            let named: String = all.take(Self::NAMED).collect();
            let more = needed.left_out.len().saturating_sub(Self::NAMED);
            let more = if more == 0 { String::new() } else { format!("\n  … and {more} more") };
            self.warnings.push((
                format!("the program names what is not brought into the cell:{named}{more}"),
                "what the program may have, bring with `--file PATH`".to_owned(),
            ));
        }
        if !links.is_empty() {
            let all = links.iter().map(|path| format!("`{}`", told(path))).collect();
            self.warnings.push((
                format!("links, pipes and other file systems in a directory are not brought: {}", some(all)),
                "name what a link leads to with a `--file` of its own".to_owned(),
            ));
        }
        let missing = |pattern: &&String| {
            let (start, end) = pattern.split_once('*').unwrap_or((pattern, ""));
            let (start, end) = (start.trim_start_matches("./"), end.rsplit('*').next().unwrap_or(end));
            !self.brought.iter().any(|file| {
                let name = file.to.to_string_lossy();
                name.starts_with(start) && name.ends_with(end)
            })
        };
        let patterns: Vec<&String> = needed.patterns.iter().filter(missing).collect();
        if let Some(first) = patterns.first() {
            let inner = first.trim_start_matches("./").split_once('/').map(|(inner, _)| inner);
            let hint = match inner {
                Some(inner) if !inner.contains('*') => {
                    format!("bring them with `--file {}`", told(&directory.join(inner)))
                }
                _ => "bring each with `--file PATH`".to_owned(),
            };
            let all = patterns.iter().map(|pattern| format!("`{}`", crate::printer::name(pattern))).collect();
            self.warnings.push((format!("files that a pattern names are not brought: {}", some(all)), hint));
        }
        if needed.cut {
            self.warnings.push((
                format!("only the first {} files that the program needs are brought", self.brought.len()),
                "bring the directory with `--file DIR`".to_owned(),
            ));
        }
    }
}

fn is_same_path(one: &Path, other: &Path) -> bool {
    std::path::absolute(one).ok() == std::path::absolute(other).ok()
}

/// Whether this module is among the files that are brought.
pub(crate) fn has_module(module: &str, files: &[Brought]) -> bool {
    let (file, package) = (PathBuf::from(format!("{module}.py")), Path::new(module));
    files.iter().any(|brought| brought.to == file || brought.to.starts_with(package))
}

fn read(from: impl Read, what: &str) -> anyhow::Result<Vec<u8>> {
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
    Ok(bytes)
}

/// A file under its own name, or everything below a directory under the directory's; the directory's links, and what
/// else is no file, are added to `others`.
fn below(path: &Path, others: &mut Vec<PathBuf>) -> io::Result<Vec<Brought>> {
    let real = path.canonicalize()?;
    let name = path.file_name().or(real.file_name()).ok_or(io::ErrorKind::InvalidInput)?;
    let name = PathBuf::from(name);
    let kind = fs::metadata(&real)?;
    if kind.is_file() {
        return Ok(vec![Brought { from: real, to: name, beneath: None }]);
    }
    if !kind.is_dir() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is neither a file nor a directory"));
    }
    let open = Arc::new(sys::file::directory(&real)?);
    let mut files = Vec::new();
    tree::walk(&real, &mut |item| {
        match item.kind {
            Kind::File => files.push(Brought {
                from: real.join(item.path),
                to: name.join(item.path),
                beneath: Some((open.clone(), item.path.to_owned())),
            }),
            Kind::Directory => {}
            Kind::Link | Kind::Special | Kind::Closed => others.push(path.join(item.path)),
        }
        ControlFlow::Continue(())
    })?;
    files.sort_by(|a, b| a.to.cmp(&b.to));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: language::Options = language::Options { language: None, runtime: None, type_errors: None };

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
        let program = Program::read(&at("program.py"), &NONE).unwrap();
        assert_eq!((program.name.as_str(), program.source.starts_with("import")), ("program.py", true));
        let files = program.files(&[at("elsewhere"), at("elsewhere/sales.csv")]).unwrap().brought;
        let names: Vec<String> = files.iter().map(|file| file.to.display().to_string()).collect();
        assert_eq!(names, ["helpers.py", "elsewhere/inner/x", "elsewhere/sales.csv", "sales.csv"]);
        // What is named on the command line wins.
        assert!(files[3].from.ends_with("elsewhere/sales.csv"));
        assert!(has_module("helpers", &files) && !has_module("torch", &files));
        assert!(program.files(&[at("missing")]).is_err());
    }

    #[test]
    fn what_is_left_out_comes_when_it_is_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir_all(at("p/sub")).unwrap();
        fs::write(at("secret"), "").unwrap();
        fs::write(at("p/.env"), "").unwrap();
        std::os::unix::fs::symlink(at("secret"), at("p/sub/cfg.txt")).unwrap();
        fs::write(at("p/main.py"), "open('sub/cfg.txt'); open('.env')").unwrap();
        let program = Program::read(&at("p/main.py"), &NONE).unwrap();
        let files = program.files(&[]).unwrap();
        assert!(files.brought.is_empty());
        assert_eq!(
            files.warnings[0].0,
            "the program names what is not brought into the cell:\n  .env (hidden)\n  \
             sub/cfg.txt (reached through a link)"
        );
        let files = program.files(&[at("p/sub/cfg.txt"), at("p/.env")]).unwrap();
        let names: Vec<_> = files.brought.iter().map(|file| file.to.to_str().unwrap()).collect();
        assert_eq!((names, files.warnings.len()), (vec!["sub/cfg.txt", ".env"], 0));
        // A link in a directory is not followed, even in one that was named.
        let files = program.files(&[at("p/sub")]).unwrap();
        assert!(files.brought.is_empty() && files.warnings[1].0.contains("sub/cfg.txt"), "{files:?}");
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("latin.py"), b"# \xe9").unwrap();
        fs::write(at("latin.js"), b"// \xe9").unwrap();
        fs::write(at("cyrillic.py"), b"#!/usr/bin/python\n# -*- coding: koi8-r -*-\n").unwrap();
        fs::write(at("large.py"), vec![b'#'; LARGEST as usize + 1]).unwrap();
        for (name, said) in [
            ("missing.py", "read the program"),
            ("page.ipynb", "no program in Python, JavaScript or TypeScript"),
            ("latin.js", "not UTF-8"),
            ("latin.py", "not UTF-8"),
            ("large.py", "larger than 4 MiB"),
            ("cyrillic.py", "its encoding is `koi8-r`"),
            ("", "read the program"),
        ] {
            let error = Program::read(&at(name), &NONE).unwrap_err().to_string();
            assert!(error.contains(said), "{name}: {error}");
        }
    }
}
