//! Compiles the native pieces that are embedded in the program, from the build scripts of the crates that embed them.
//!
//! A piece is a package of this workspace, built by a second cargo with the same toolchain, from the same lock file,
//! with the profile `native`. It gets a target directory of its own, inside the build script's: the first cargo holds
//! the lock on its own directory for as long as it waits for us.
//!
//! What the caller's environment says about flags is not passed on: coverage, sanitizers and wrappers are meant for
//! the program, and would ask a static program or a library inside a foreign interpreter for a runtime that it does
//! not have.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What becomes of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A program that needs no library of the host.
    StaticProgram,
    /// A library that a program of the host's loads.
    SharedLibrary,
}

/// A native piece.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// The package.
    pub package: &'a str,
    /// The name of its binary or library target.
    pub target: &'a str,
    /// What it becomes.
    pub kind: Kind,
    /// The variable, for `include_bytes!(env!(…))`, that names the finished file.
    pub variable: &'a str,
    /// Directories that it is made of, below the root of the workspace.
    pub sources: &'a [&'a str],
}

/// Variables of cargo's that say where crates come from and how much it may do at once, not what is built.
const KEPT: &[&str] = &[
    "CARGO_HOME",
    "CARGO_MAKEFLAGS",
    "CARGO_BUILD_JOBS",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_SOURCE_",
    "CARGO_TERM_",
];

/// Builds the piece, and tells cargo where it is and when it is out of date.
///
/// # Panics
///
/// If it cannot be built; cargo shows the message, which has the compiler's words.
pub fn build(piece: &Piece) {
    let root = workspace_root();
    let out = PathBuf::from(required("OUT_DIR")).join("native");
    let target = required("TARGET");

    for source in piece.sources {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    for file in ["Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(file).display());
    }

    // Nearly always everything has been fetched, for the crate whose build script this is; the network is a last resort.
    let built = cargo(piece, &root, &out, &target, &["--offline"])
        .or_else(|_| cargo(piece, &root, &out, &target, &[]));
    if let Err(said) = built {
        panic!("failed to build `{}`:\n{said}", piece.package);
    }

    let file = out.join(&target).join("native").join(file_name(piece));
    assert!(file.is_file(), "`{}` was built, and {} is not there", piece.package, file.display());
    println!("cargo::rustc-env={}={}", piece.variable, file.display());
}

fn cargo(piece: &Piece, root: &Path, out: &Path, target: &str, more: &[&str]) -> Result<(), String> {
    let mut command = Command::new(required("CARGO"));
    command.args(["build", "--quiet", "--locked", "--profile", "native", "--package", piece.package]);
    command.args(["--target", target]).arg("--target-dir").arg(out).args(more);
    command.current_dir(root).stdin(Stdio::null());
    for (name, _) in env::vars_os() {
        if is_about_flags(&name) {
            command.env_remove(name);
        }
    }
    // Set, even to nothing, it overrules what a configuration file says.
    command.env(
        "CARGO_ENCODED_RUSTFLAGS",
        match piece.kind {
            Kind::StaticProgram => "-Ctarget-feature=+crt-static",
            Kind::SharedLibrary => "",
        },
    );
    let output = command.output().map_err(|error| format!("run cargo: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn is_about_flags(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let linker = name.starts_with("CARGO_TARGET_") && name.ends_with("_LINKER");
    let cargo = name.starts_with("CARGO_") && !linker && !KEPT.iter().any(|kept| name.starts_with(kept));
    cargo || ["RUSTFLAGS", "RUSTDOCFLAGS", "RUSTC_WORKSPACE_WRAPPER", "LLVM_PROFILE_FILE"].contains(&name)
}

fn file_name(piece: &Piece) -> String {
    match piece.kind {
        Kind::StaticProgram => piece.target.to_owned(),
        Kind::SharedLibrary => format!("lib{}.so", piece.target),
    }
}

fn workspace_root() -> PathBuf {
    // Two levels up: this crate is `crates/native-build`.
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_owned()
}

fn required(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("`{name}` is not set: this is for build scripts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_the_caller_stay_behind() {
        for name in [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_TARGET_DIR",
            "CARGO_BUILD_TARGET",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
            "CARGO_PROFILE_RELEASE_LTO",
            "RUSTC_WORKSPACE_WRAPPER",
        ] {
            assert!(is_about_flags(OsStr::new(name)), "{name}");
        }
        for name in [
            "PATH",
            "CARGO_HOME",
            "CARGO_MAKEFLAGS",
            "CARGO_NET_OFFLINE",
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
            "RUSTUP_TOOLCHAIN",
            "RUSTC_WRAPPER",
        ] {
            assert!(!is_about_flags(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn the_root_has_the_lock_file() {
        assert!(workspace_root().join("Cargo.lock").is_file());
    }
}
