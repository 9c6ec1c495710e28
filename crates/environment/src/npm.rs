//! Runs npm, so that a lock alone decides what is installed, and the user alone from where.
//!
//! npm reads its configuration from the user's `~/.npmrc` by itself. What the user has set there or in variables about projects of
//! their own is overruled by options, of which npm has many: see [`OPTIONS`]. Its cache is ours, so that nothing but the lock's
//! hashes is trusted.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::command::{could_not_start, said};
use crate::error::{Error, Result};
use crate::files;
use crate::index::Index;
use crate::place::Place;

/// How long npm may take. Each request has its own limit, which is npm's; this is for all together, and generous.
const LIMIT: Duration = Duration::from_secs(20 * 60);
/// How often npm is looked after.
const LOOK: Duration = Duration::from_millis(50);

/// Variables of npm, in lower case and without their beginning, that say where packages come from and how they are reached; every
/// other one would change what is installed.
const NPM_KEPT: &[&str] = &[
    "registry",
    "userconfig",
    "globalconfig",
    "proxy",
    "https_proxy",
    "noproxy",
    "ca",
    "cafile",
    "cert",
    "key",
    "strict_ssl",
    "local_address",
    "maxsockets",
    "offline",
    "fetch_retries",
    "fetch_retry_factor",
    "fetch_retry_mintimeout",
    "fetch_retry_maxtimeout",
    "fetch_timeout",
];

/// Where a machine's own npm keeps what its administrator has configured; the npm of an environment would look beside itself.
const MACHINE: &[&str] = &["/etc/npmrc", "/usr/local/etc/npmrc", "/usr/etc/npmrc"];

const OPERATION: &str = "install the JavaScript libraries";

/// Has the npm of the environment at `root` install what the lock in `project` says into `project/node_modules`.
pub(crate) fn ci(root: &Path, project: &Path, place: &Place, index: &Index) -> Result<()> {
    let mut npm = place.command(root.join("bin/node"))?;
    // npm's first line names the node that cells have.
    npm.arg(root.join("bin/npm")).arg("ci").args(OPTIONS).arg("--cache").arg(place.cache().join("npm"));
    npm.arg(format!("--cpu={}", cpu())).current_dir(project);
    configure(&mut npm, index);
    run(&mut npm, place.path(), &project.join("npm-said"), LIMIT)
}

/// What is installed, and how, whatever the user has configured for projects of their own.
const OPTIONS: &[&str] = &[
    "--ignore-scripts",
    "--omit=dev",
    "--include=optional",
    "--os=linux",
    "--libc=glibc",
    "--install-strategy=hoisted",
    "--legacy-peer-deps=false",
    "--package-lock=true",
    "--bin-links=true",
    "--global=false",
    "--location=project",
    "--workspaces=false",
    "--dry-run=false",
    "--no-audit",
    "--no-fund",
    "--update-notifier=false",
    "--prefer-offline",
    "--progress=false",
    "--color=false",
    "--loglevel=error",
    "--logs-max=0",
];

/// The machine as npm calls it.
fn cpu() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Leaves a command of npm the settings that say where packages come from, and adds what only pip or the machine was told.
fn configure(npm: &mut Command, index: &Index) {
    for (name, _) in std::env::vars_os() {
        if changes_what_is_installed(&name) {
            npm.env_remove(name);
        }
    }
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !set("npm_config_globalconfig")
        && !set("NPM_CONFIG_GLOBALCONFIG")
        && let Some(configured) = MACHINE.iter().find(|path| Path::new(path).is_file())
    {
        npm.env("npm_config_globalconfig", configured);
    }
    for (name, value) in index.for_node(&|name| set(name)) {
        npm.env(name, value);
    }
}

fn changes_what_is_installed(name: &OsStr) -> bool {
    let Some(name) = name.to_str().map(str::to_ascii_lowercase) else { return false };
    match name.strip_prefix("npm_config_") {
        // One that names a registry by its address says how to be known there.
        Some(option) => !option.starts_with("//") && !NPM_KEPT.contains(&option.replace('-', "_").as_str()),
        None => matches!(name.as_str(), "node_options" | "node_path" | "node_env"),
    }
}

/// Runs npm to its end, or until its time is over. What it says goes to the file `told`: a pipe would have to be read meanwhile.
fn run(npm: &mut Command, place: &Path, told: &Path, limit: Duration) -> Result<()> {
    let file = File::create(told).map_err(Error::file("create", told))?;
    npm.stdout(Stdio::null()).stderr(file);
    let failed = |npm: &Command, error: &std::io::Error| could_not_start(npm, OPERATION, error);
    let mut child = npm.spawn().map_err(|error| failed(npm, &error))?;
    let since = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| failed(npm, &error))? {
            Some(status) => break status,
            None if since.elapsed() >= limit => {
                let _ = child.kill();
                let _ = child.wait();
                let output = format!("npm did not end within {} minutes", limit.as_secs() / 60);
                return Err(Error::Registry { output });
            }
            None => std::thread::sleep(LOOK),
        }
    };
    if status.success() {
        return Ok(());
    }
    let stderr = files::read(told).unwrap_or_default();
    Err(failure(place, &Output { status, stdout: Vec::new(), stderr }))
}

/// Makes of what npm said the error that a person can act on.
fn failure(place: &Path, output: &Output) -> Error {
    let said = said(output);
    let lines: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("npm error ")).collect();
    let code = lines.iter().find_map(|line| line.strip_prefix("code ")).unwrap_or_default().trim();
    let technical = |line: &&&str| {
        let word = line.split(' ').next().unwrap_or_default();
        !matches!(word, "code" | "errno" | "syscall" | "path" | "A" | "" | "Log" | "Logs")
    };
    let first =
        lines.iter().find(technical).map_or_else(|| output.status.to_string(), |&line| line.to_owned());
    let words = if code.is_empty() { first } else { format!("{first} ({code})") };
    match code {
        "ENOSPC" | "EDQUOT" => Error::DiskFull { path: place.to_owned(), need: 0, free: 0 },
        "EINTEGRITY" => Error::Hash { what: "the JavaScript libraries".to_owned(), output: words },
        // Of npm itself or of what it was given, not of a registry.
        "" | "EUSAGE" | "EJSONPARSE" | "EBADENGINE" | "EBADPLATFORM" | "EACCES" | "EPERM" => {
            Error::Program { operation: OPERATION.to_owned(), output: words }
        }
        _ => Error::Registry { output: words },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    fn failed_with(stderr: &str) -> Error {
        let output = Output { status: ExitStatus::from_raw(256), stdout: Vec::new(), stderr: stderr.into() };
        failure(Path::new("/data"), &output)
    }

    #[test]
    fn what_npm_said_becomes_the_error_it_means() {
        let absent = "npm error code ENOTFOUND\nnpm error syscall getaddrinfo\nnpm error errno ENOTFOUND\n\
             npm error network request to https://registry.test/zod failed, reason: getaddrinfo ENOTFOUND\n\
             npm error network This is a problem related to network connectivity.\n";
        let error = failed_with(absent);
        assert_eq!(
            error.to_string(),
            "fetch the JavaScript libraries from the npm registry: network request to https://registry.test/zod \
             failed, reason: getaddrinfo ENOTFOUND (ENOTFOUND)"
        );
        assert!(error.hint().is_some_and(|hint| hint.contains("~/.npmrc")));
        let other = "npm error code EINTEGRITY\nnpm error sha512-a integrity checksum failed when using sha512: wanted";
        assert!(matches!(failed_with(other), Error::Hash { .. }));
        let full =
            "npm error code ENOSPC\nnpm error syscall write\nnpm error errno -28\nnpm error nospc ENOSPC";
        assert!(matches!(failed_with(full), Error::DiskFull { .. }));
        let ours =
            "npm error code EUSAGE\nnpm error\nnpm error `npm ci` can only install packages when in sync";
        let error = failed_with(ours);
        assert!(
            matches!(&error, Error::Program { output, .. } if output.starts_with("`npm ci` can only")),
            "{error}"
        );
        assert!(failed_with("").to_string().contains("exit status: 1"));
    }

    #[test]
    fn only_where_packages_come_from_is_the_users() {
        let kept = |name: &str| !changes_what_is_installed(OsStr::new(name));
        for name in [
            "npm_config_registry",
            "NPM_CONFIG_REGISTRY",
            "npm_config_strict-ssl",
            "npm_config_//registry.test/:_authToken",
            "HTTPS_PROXY",
            "NODE_EXTRA_CA_CERTS",
        ] {
            assert!(kept(name), "{name}");
        }
        for name in ["npm_config_prefix", "NPM_CONFIG_OMIT", "npm_config_before", "NODE_OPTIONS", "NODE_ENV"]
        {
            assert!(!kept(name), "{name}");
        }
    }

    #[test]
    fn an_npm_that_does_not_end_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let mut endless = crate::command::command("sleep");
        let ran = run(endless.arg("600"), dir.path(), &dir.path().join("said"), Duration::ZERO);
        let error = ran.unwrap_err().to_string();
        assert!(error.ends_with("npm did not end within 0 minutes"), "{error}");
    }

    #[test]
    fn what_npm_said_is_kept_until_it_has_failed() {
        let dir = tempfile::tempdir().unwrap();
        let script = "echo 'npm error code E404' >&2; echo 'npm error 404 Not Found - GET zod' >&2; exit 1";
        let mut npm = crate::command::command("sh");
        let ran = run(npm.args(["-c", script]), dir.path(), &dir.path().join("said"), LIMIT);
        let error = ran.unwrap_err();
        assert!(
            matches!(&error, Error::Registry { output } if output == "404 Not Found - GET zod (E404)"),
            "{error}"
        );
    }
}
