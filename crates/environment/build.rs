//! Lists the kernels' sources, so that each is embedded because it is there.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Directories below this package, and how the names of what is taken from them end.
const PACKAGES: &[(&str, &str, &[&str])] = &[
    ("PYTHON", "python/cellblock_kernel", &["py"]),
    ("JAVASCRIPT", "javascript/cellblock_kernel_js", &["mjs", "ts"]),
];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the package"));
    let mut text = String::new();
    for (name, directory, endings) in PACKAGES {
        let package = root.join(directory);
        let mut files = Vec::new();
        walk(&package, endings, &mut files)?;
        files.sort();
        writeln!(text, "pub(super) const {name}: &[(&str, &[u8])] = &[").expect("a text takes all");
        for file in files {
            let below = file.strip_prefix(&package).expect("it was found there").display();
            writeln!(
                text,
                "    ({:?}, include_bytes!({:?})),",
                below.to_string(),
                file.display().to_string()
            )
            .expect("a text takes all");
        }
        text.push_str("];\n");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names where to write"));
    fs::write(out.join("sources.rs"), text)
}

fn walk(directory: &Path, endings: &[&str], files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", directory.display());
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, endings, files)?;
        } else if path.extension().is_some_and(|ending| endings.iter().any(|each| *each == ending)) {
            println!("cargo::rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    Ok(())
}
