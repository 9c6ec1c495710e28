//! Rules that every file of the tree keeps.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::rust_text;
use crate::workspace::Workspace;

/// Directories of a machine below which somebody's own files lie. Their names are put together here so that
/// this file keeps the rule that it makes.
const SOMEBODYS: &[&str] = &["home", "root", "work"];

/// Paths below them that mean nobody's machine: the cell's user, placeholders, and what an escape attempt asks for.
const NOBODYS: &[&str] = &["home/user", "home/you", "home/someone", "root/.ssh"];

/// Where `Cargo.lock` may have a crate from.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Each use of `unsafe` outside of `crates/sys`, and each crate that does not forbid it.
pub(crate) fn unsafe_outside_sys(workspace: &Workspace) -> Result<Vec<String>> {
    let sys = Path::new("crates/sys");
    let mut found = Vec::new();
    for file in files(&workspace.root)? {
        if file.extension().is_some_and(|extension| extension == "rs") && !file.starts_with(sys) {
            let Some(source) = text(&workspace.root.join(&file))? else { continue };
            for line in rust_text::lines_with_word(&source, "unsafe") {
                found.push(format!("{}:{line}: `unsafe` outside of crates/sys", file.display()));
            }
        }
    }
    let manifest = |directory: &Path| fs::read_to_string(directory.join("Cargo.toml"));
    let shared = forbids_unsafe(&manifest(&workspace.root)?, "workspace.lints");
    for package in workspace.packages.iter().filter(|package| package.name != "sys") {
        let own = manifest(&package.directory)?;
        let forbidden = forbids_unsafe(&own, "lints") || (shared && inherits_lints(&own));
        if !forbidden {
            found.push(format!("`{}` does not forbid `unsafe_code` in its lints", package.name));
        }
    }
    Ok(found)
}

/// What stands in the tree that must not.
pub(crate) fn rules(workspace: &Workspace) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in files(&workspace.root)? {
        let Some(text) = text(&workspace.root.join(&file))? else { continue };
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let mut faults = machine_paths(&text);
        match name {
            "Cargo.lock" => faults.extend(cargo_lock(&text)),
            "package-lock.json" => faults.extend(javascript_lock(&text)),
            _ if is_python_lock(&file) => faults.extend(python_lock(&text)),
            _ if name.ends_with(".wheels") => faults.extend(wheel_list(&text)),
            _ => {}
        }
        found.extend(faults.into_iter().map(|(line, fault)| format!("{}:{line}: {fault}", file.display())));
    }
    Ok(found)
}

/// A line (from 1) and what is wrong with it.
type Fault = (usize, String);

/// Paths that only exist on the machine of whoever wrote them down.
fn machine_paths(text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (at, _) in line.match_indices('/') {
            // Only a slash that begins a path: not the one in `target/work/` or `{dir}/home/`.
            let before = line[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || "/_-.~})]>$*".contains(c)) {
                continue;
            }
            let path = &line[at + 1..];
            let below = |parent: &&str| {
                let rest = path.strip_prefix(*parent).and_then(|rest| rest.strip_prefix('/'));
                rest.is_some_and(|rest| {
                    rest.starts_with(|c: char| c.is_alphanumeric() || c == '.' || c == '_')
                })
            };
            if SOMEBODYS.iter().any(below) && !NOBODYS.iter().any(|allowed| path.starts_with(allowed)) {
                let end =
                    path.find(|c: char| c.is_whitespace() || "\"'`)>,;".contains(c)).unwrap_or(path.len());
                faults.push((number + 1, format!("`/{}` is a path of one machine", &path[..end])));
            }
        }
    }
    faults
}

/// Crates that do not come from crates.io.
fn cargo_lock(text: &str) -> Vec<Fault> {
    let fault = |(number, line): (usize, &str)| {
        let source = line.strip_prefix("source = \"")?.trim_end_matches('"');
        (source != CRATES_IO).then(|| (number + 1, format!("a crate from `{source}`")))
    };
    text.lines().enumerate().filter_map(fault).collect()
}

fn is_python_lock(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let in_lock = file.parent().is_some_and(|parent| parent.ends_with("lock"));
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("txt") => in_lock || name.contains("requirements"),
        Some("lock") => name != "Cargo.lock",
        _ => false,
    }
}

/// Requirements without an exact version or a hash, and addresses: those are the installer's business, so
/// that any mirror will do.
fn python_lock(text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let mut whole = line.to_owned();
        while whole.ends_with('\\') {
            whole.pop();
            whole.push_str(lines.next().map_or("", |(_, next)| next));
        }
        let mut fault = |what: &str| faults.push((number + 1, what.to_owned()));
        if whole.contains("://") {
            fault("an address in a lock file");
        }
        let requirement = whole.split('#').next().unwrap_or_default().trim();
        if requirement.is_empty() {
            continue;
        }
        if requirement.starts_with('-') {
            fault("an option in a lock file");
        } else if !requirement.contains("==") {
            fault("a requirement without an exact version");
        } else if !requirement.contains("--hash=sha256:") {
            fault("a requirement without a hash");
        }
    }
    faults
}

/// Files of Python packages: each a hash, a size and a name.
fn wheel_list(text: &str) -> Vec<Fault> {
    let fault = |(number, line): (usize, &str)| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let good = matches!(words[..], [hash, size, name] if hash.len() == 64
            && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
            && size.parse::<u64>().is_ok()
            && !name.contains('/'));
        (!good).then(|| (number + 1, "not a hash, a size and a file's name".to_owned()))
    };
    text.lines().enumerate().filter_map(fault).collect()
}

/// Packages without an integrity hash, and addresses.
fn javascript_lock(text: &str) -> Vec<Fault> {
    let Ok(lock) = serde_json::from_str::<Value>(text) else {
        return vec![(1, "not JSON".to_owned())];
    };
    let Some(packages) = lock["packages"].as_object() else {
        return vec![(1, "no `packages`".to_owned())];
    };
    let mut faults = Vec::new();
    // The entry with the empty name is the project itself.
    for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
        if package["integrity"].as_str().is_none() {
            faults.push((1, format!("`{name}` has no integrity hash")));
        }
        if package["resolved"].as_str().is_some() {
            faults.push((1, format!("`{name}` has an address")));
        }
    }
    faults
}

fn forbids_unsafe(manifest: &str, section: &str) -> bool {
    let rust = format!("[{section}.rust]");
    let mut lines = manifest.lines().skip_while(|line| line.trim() != rust).skip(1);
    lines
        .by_ref()
        .take_while(|line| !line.starts_with('['))
        .any(|line| line.replace(' ', "") == "unsafe_code=\"forbid\"")
}

fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().skip_while(|line| line.trim() != "[lints]").skip(1);
    lines.next().is_some_and(|line| line.replace(' ', "") == "workspace=true")
}

/// The text of a file; none if it is not UTF-8, or is gone.
fn text(path: &Path) -> Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8(bytes).ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read {}", path.display())),
    }
}

/// The files of the tree, relative to its root: what git knows or would add; without git, everything but
/// `target` and what is hidden.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output();
    if let Ok(listed) = listed
        && listed.status.success()
    {
        let names = String::from_utf8(listed.stdout)?;
        return Ok(names
            .split_terminator('\0')
            .map(PathBuf::from)
            .filter(|file| root.join(file).is_file())
            .collect());
    }
    let mut files = Vec::new();
    let mut directories = vec![PathBuf::new()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(root.join(&directory))? {
            let entry = entry?;
            let name = entry.file_name();
            let kind = entry.file_type()?;
            let path = directory.join(&name);
            if kind.is_file() {
                files.push(path);
            } else if kind.is_dir() && name != "target" && !name.as_encoded_bytes().starts_with(b".") {
                directories.push(path);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(faults: &[Fault]) -> Vec<usize> {
        faults.iter().map(|(line, _)| *line).collect()
    }

    #[test]
    fn this_tree_keeps_the_rules() {
        let workspace = Workspace::load().unwrap();
        assert_eq!(unsafe_outside_sys(&workspace).unwrap(), Vec::<String>::new());
        assert_eq!(rules(&workspace).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn the_tree_has_files_of_every_kind_and_nothing_built() {
        let workspace = Workspace::load().unwrap();
        let files = files(&workspace.root).unwrap();
        for file in ["Cargo.lock", "crates/check/src/tree.rs", "deny.toml"] {
            assert!(files.contains(&PathBuf::from(file)), "{file}");
        }
        assert!(!files.iter().any(|file| file.starts_with("target") || file.starts_with(".git")));
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        for parent in SOMEBODYS {
            let path = format!("/{parent}/alice/file");
            for line in
                [&path, &format!("let a = \"{path}\";"), &format!("see `{path}`"), &format!("A={path}")]
            {
                assert_eq!(lines(&machine_paths(&format!("first\n{line}"))), [2], "{line}");
            }
        }
    }

    #[test]
    fn other_paths_are_not() {
        for line in [
            "/mnt/workspace/a",
            "/home/user/.local",
            "target/work/a",
            "{dir}/home/a",
            "/home/",
            "~/work/a",
            "/root",
            "/home/<x>",
        ] {
            assert_eq!(machine_paths(line), [], "{line}");
        }
    }

    #[test]
    fn crates_from_elsewhere_are_found() {
        let here = format!("[[package]]\nname = \"a\"\nsource = \"{CRATES_IO}\"\n");
        assert_eq!(cargo_lock(&here), []);
        assert_eq!(lines(&cargo_lock(&here.replace("rust-lang", "elsewhere"))), [3]);
        assert_eq!(lines(&cargo_lock("source = \"git+https://example.org/a\"")), [1]);
    }

    #[test]
    fn python_locks_need_versions_and_hashes_and_no_addresses() {
        let good = "# made by a tool\nnumpy==2.4.6 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n    # via pandas\n";
        assert_eq!(python_lock(good), []);
        assert_eq!(lines(&python_lock("a==1 --hash=sha256:00\nb>=1 --hash=sha256:00")), [2]);
        assert_eq!(lines(&python_lock("a==1 \\\n    ; python_version > '3'\nb==1 --hash=sha256:00")), [1]);
        assert_eq!(lines(&python_lock("--index-url mirror")), [1]);
        assert_eq!(lines(&python_lock("a @ https://example.org/a.whl --hash=sha256:00")), [1, 1]);
    }

    #[test]
    fn python_locks_are_known_by_their_names() {
        for lock in ["lean.requirements.txt", "a/uv.lock", "crates/environment/lock/lean.txt"] {
            assert!(is_python_lock(Path::new(lock)), "{lock}");
        }
        for other in ["Cargo.lock", "notes.txt", "lock/renew.py", "lock.txt"] {
            assert!(!is_python_lock(Path::new(other)), "{other}");
        }
    }

    #[test]
    fn lists_of_wheels_have_hashes_and_no_addresses() {
        let hash = "0f".repeat(32);
        assert_eq!(wheel_list(&format!("{hash} 12 a-1-py3-none-any.whl\n")), []);
        assert_eq!(lines(&wheel_list(&format!("{hash} 12 a.whl\n{hash} 12 https://example.org/a.whl"))), [2]);
        assert_eq!(lines(&wheel_list("00 12 a-1-py3-none-any.whl")), [1]);
    }

    #[test]
    fn javascript_locks_need_integrity_and_no_addresses() {
        let lock = |fields: &str| format!(r#"{{"packages": {{"": {{}}, "node_modules/a": {{{fields}}}}}}}"#);
        assert_eq!(javascript_lock(&lock(r#""integrity": "sha512-00""#)), []);
        assert_eq!(javascript_lock(&lock(r#""version": "1.0.0""#)).len(), 1);
        assert_eq!(
            javascript_lock(&lock(r#""integrity": "sha512-00", "resolved": "https://example.org""#)).len(),
            1
        );
        assert_eq!(javascript_lock("{}").len(), 1);
        assert_eq!(javascript_lock("no lock").len(), 1);
    }

    #[test]
    fn a_manifest_forbids_unsafe_itself_or_by_the_workspace() {
        assert!(forbids_unsafe("[lints.rust]\nunsafe_code = \"forbid\"\n", "lints"));
        assert!(!forbids_unsafe("[lints.rust]\nunsafe_code = \"deny\"\n", "lints"));
        assert!(!forbids_unsafe("[lints.rust]\n[lints.other]\nunsafe_code = \"forbid\"\n", "lints"));
        assert!(inherits_lints("[lints]\nworkspace = true\n"));
        assert!(!inherits_lints("[dependencies]\nworkspace = true\n"));
    }
}
