//! What every home in a cell begins with: a virtual environment of the session's own, the *layer*, which
//! `pip install` fills.
//!
//! ```text
//! ~/.local/pyvenv.cfg                     the environment's own: the same interpreter, the same base
//! ~/.local/bin/python, python3            the base's interpreter, first on the PATH
//! ~/.local/lib/python3.12/site-packages   what the session installs, and a file that names the environment's packages
//! ```
//!
//! `pip` itself lies in the runtime's `bin`, on the `PATH` between the layer's programs and the environment's, since every
//! entry of a home is made for every cell. To pip the layer is a virtual environment like any other. What the environment
//! has lies outside of it: found, listed, good enough where it fits, never removed, and shadowed by what is installed.
//! Since it is the user's site directory too, `--user` means the same. Node's part is `~/.local/lib/node_modules` and the
//! same `bin`: npm's own place for what is installed globally, which is meant where there is no project. It is found from
//! everywhere in the workspace by a link above it.
//!
//! Rejected, all but the last after trying them:
//!
//! - nothing at all: pip falls back to the user's site with a remark, refuses another version of what the environment
//!   has ("will lack sys.path precedence"), and ends with a traceback when told to remove something of it;
//! - `PIP_USER`: the same refusal, and pip in a virtual environment that the user made refuses everything;
//! - `PIP_PREFIX`: removes the environment's version first, and fails there; what the user's own virtual environments
//!   are to get ends up elsewhere;
//! - `PIP_TARGET`: nothing can be removed or replaced;
//! - a writable overlay over the environment: a mount for each cell, and another environment below every interpreter.

use std::path::{Path, PathBuf};

use crate::runtime::RUNTIME;
use crate::{ROOT, files};

/// The interpreter that programs of the environment are started by, so that they find what the session installed.
pub(crate) const PYTHON: &str = "/home/user/.local/bin/python";

/// Sorted last: what a user installs is found before.
const ENVIRONMENT: &str = "zzz_environment.pth";
const PIP: &str = "import sys\n\nfrom pip._internal.cli.main import main\n\nsys.exit(main())\n";

/// npm as it is, except where it would make a project of a directory that is none: there what it installs goes to the
/// layer, as with pip. A project is a directory with a `package.json`, or below one.
const NPM: &str = r#"#!/bin/sh
npm=/opt/cellblock/env/bin/npm
command= wanted=
for word; do
    case $word in
    -g | --global | --location* | --prefix* | -C | --dir* | -w | --workspace*) exec "$npm" "$@" ;;
    -*) ;;
    *) if [ -z "$command" ]; then command=$word; else wanted=1; fi ;;
    esac
done
case $command in
i | in | ins | inst | insta | instal | install | isnt | isnta | isntal | isntall | add | un | uninstall | unlink |     remove | rm | r | update | up | upgrade | udpate) [ "$wanted" ] || exec "$npm" "$@" ;;
ls | list | ll | la | outdated | why | explain) ;;
*) exec "$npm" "$@" ;;
esac
place=$PWD
while [ "$place" ]; do
    if [ -e "$place/package.json" ]; then exec "$npm" "$@"; fi
    place=${place%/*}
done
exec "$npm" "$@" --global
"#;

/// A part of the runtime directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// A file, with its permission bits.
    File(Vec<u8>, u32),
    /// A symbolic link to a path in a cell.
    Link(String),
}

/// The layer's parts, by their paths below the runtime directory. Below `home` are links alone, which every home gets.
///
/// An environment without an interpreter of its own, as some tests have it, has no layer.
pub(crate) fn parts(environment: &Path) -> Vec<(PathBuf, Part)> {
    let Some(python) = python(environment) else { return Vec::new() };
    let packages = Path::new("lib").join(&python).join("site-packages");
    let base = format!("{ROOT}/base/bin/{python}");
    let pip = format!("#!{PYTHON}\n{PIP}");
    let mut parts = vec![
        (PathBuf::from("bin/pip"), Part::File(pip.into_bytes(), 0o755)),
        (PathBuf::from("bin/pip3"), Part::Link("pip".to_owned())),
        (PathBuf::from("bin/npm"), Part::File(NPM.as_bytes().to_vec(), 0o755)),
        (PathBuf::from("layer/environment.pth"), Part::File(paths(environment, &packages), 0o644)),
    ];
    let layer = Path::new("home/.local");
    let mut link = |name: PathBuf, to: String| parts.push((layer.join(name), Part::Link(to)));
    link("pyvenv.cfg".into(), format!("{ROOT}/pyvenv.cfg"));
    // Where the bases of some distributions look for native modules.
    if environment.join("base/lib64").is_dir() {
        link("lib64".into(), "lib".to_owned());
    }
    link("bin/python".into(), base);
    link("bin/python3".into(), "python".to_owned());
    link(packages.join(ENVIRONMENT), format!("{RUNTIME}/layer/environment.pth"));
    parts
}

/// The name of its interpreter, such as `python3.12`.
fn python(environment: &Path) -> Option<String> {
    let entries = files::entries(&environment.join("base/bin")).ok()?;
    let names = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.into_iter().find(|name| {
        name.strip_prefix("python3.").is_some_and(|minor| minor.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// What the layer's interpreters read when they start: where the environment's packages are, and what those have
/// interpreters do when they start.
fn paths(environment: &Path, packages: &Path) -> Vec<u8> {
    // A line of its own: that is what pip knows to leave out where it builds a package in isolation.
    let mut text = format!("{}\n", Path::new(ROOT).join(packages).display());
    let mut theirs: Vec<PathBuf> = files::entries(&environment.join(packages))
        .unwrap_or_default()
        .iter()
        .map(std::fs::DirEntry::path)
        .filter(|path| path.extension().is_some_and(|extension| extension == "pth"))
        .collect();
    theirs.sort();
    for path in theirs {
        for line in files::read_text(&path).unwrap_or_default().lines() {
            if line.starts_with("import ") {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_stands_on_its_environment() {
        let dir = tempfile::tempdir().unwrap();
        let site = dir.path().join("lib/python3.13/site-packages");
        files::create_dir(&site).unwrap();
        files::create_dir(&dir.path().join("base/bin")).unwrap();
        for name in ["python3", "python3.13", "python3.13-config"] {
            files::write(&dir.path().join("base/bin").join(name), "").unwrap();
        }
        files::write(&site.join("b.pth"), "import b; b.start()\n").unwrap();
        files::write(&site.join("a.pth"), "# nothing\nelsewhere\nimport a\n").unwrap();
        let parts = parts(dir.path());
        let part = |name: &str| {
            parts.iter().find(|(path, _)| path == Path::new(name)).map(|(_, part)| part.clone()).unwrap()
        };
        let Part::File(paths, 0o644) = part("layer/environment.pth") else { panic!("{parts:?}") };
        assert_eq!(
            String::from_utf8(paths).unwrap(),
            "/opt/cellblock/env/lib/python3.13/site-packages\nimport a\nimport b; b.start()\n"
        );
        let link = |to: &str| Part::Link(to.to_owned());
        assert_eq!(part("home/.local/bin/python"), link("/opt/cellblock/env/base/bin/python3.13"));
        assert_eq!(part("home/.local/bin/python3"), link("python"));
        assert_eq!(
            part("home/.local/lib/python3.13/site-packages/zzz_environment.pth"),
            link("/opt/cellblock/runtime/layer/environment.pth")
        );
        assert!(parts.iter().all(|(path, part)| !path.starts_with("home") || matches!(part, Part::Link(_))));
    }

    #[test]
    fn without_an_interpreter_there_is_none() {
        assert_eq!(parts(tempfile::tempdir().unwrap().path()), []);
    }
}
