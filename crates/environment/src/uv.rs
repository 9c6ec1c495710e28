//! Finds uv, or fetches it once.
//!
//! A uv on the `PATH` is used if it is new enough. Otherwise the wheel that is pinned here by its hash is fetched to
//! `<environments>/.tools`: by pip where there is one (it knows the user's mirrors, proxies and passwords), else by a few lines of
//! Python from the index that is configured. Whoever fetched it, the hash is verified here, before anything of it is run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::command::{self, command};
use crate::error::{Error, Result};
use crate::files;
use crate::index::Index;
use crate::lock::{self, Wheel};
use crate::place::Place;
use crate::python::Python;
use crate::recipe::hex;

const WHEELS: &str = include_str!("../lock/uv.wheels");
/// The oldest uv that is known to do what is asked of it here.
const OLDEST: [u32; 2] = [0, 8];

/// The path of a uv that will do.
pub(crate) fn get(python: &Python, index: &Index, place: &Place) -> Result<PathBuf> {
    if let Some(found) = on_path() {
        return Ok(found);
    }
    let wheel = pinned(std::env::consts::ARCH)?;
    let kept = place.tools().join(format!("uv-{}", wheel.version()));
    let program = kept.join("uv");
    // It may have been torn by a loss of power.
    if version_of(&program).is_none() {
        fetch(python, index, &wheel, place, &kept)?;
    }
    Ok(program)
}

/// The first uv on the `PATH` that is new enough.
pub(crate) fn on_path() -> Option<PathBuf> {
    files::on_path("uv").into_iter().find(|uv| version_of(uv).is_some_and(|version| version >= OLDEST))
}

fn version_of(uv: &Path) -> Option<[u32; 2]> {
    let output = command(uv).arg("--version").output().ok().filter(|output| output.status.success())?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// Major and minor of what `uv --version` prints: `uv 0.13.9 (…)`.
fn parse_version(text: &str) -> Option<[u32; 2]> {
    let mut numbers = text.strip_prefix("uv ")?.split(['.', ' ', '\n']).map(str::parse::<u32>);
    Some([numbers.next()?.ok()?, numbers.next()?.ok()?])
}

/// The wheel for this machine that asks for the oldest glibc.
fn pinned(machine: &str) -> Result<Wheel<'static>> {
    let suiting =
        lock::wheels(WHEELS)?.into_iter().filter_map(|wheel| Some((wheel.suits(14, machine)?, wheel)));
    suiting.min_by_key(|(suits, _)| *suits).map(|(_, wheel)| wheel).ok_or(Error::NoUv)
}

fn fetch(python: &Python, index: &Index, wheel: &Wheel<'_>, place: &Place, kept: &Path) -> Result<()> {
    let tools = place.tools();
    // Both are made anew: whoever was here before may have been killed.
    let (staging, done) = (tools.join(".fetching"), tools.join(".fetched"));
    for dir in [&staging, &done] {
        files::remove(dir)?;
        files::create_dir(dir)?;
    }
    let made = bring(python, index, wheel, place, &staging).and_then(|file| {
        let mut unpack = place.command(&python.executable)?;
        unpack.args(["-I", "-B", "-c", include_str!("scripts/unpack.py")]);
        unpack.arg(file).arg("/scripts/uv").arg(done.join("uv"));
        command::run(&mut unpack, || "unpack uv".to_owned())?;
        files::publish_modes(&done)?;
        files::remove(kept)?;
        std::fs::rename(&done, kept).map_err(Error::file("name", &done))
    });
    files::remove(&done)?;
    files::remove(&staging)?;
    made
}

/// Fetches the wheel, by pip if there is one, and verifies it.
fn bring(
    python: &Python,
    index: &Index,
    wheel: &Wheel<'_>,
    place: &Place,
    staging: &Path,
) -> Result<PathBuf> {
    let addresses = index.addresses();
    let pip = pips(python).into_iter().find(|pip| {
        let mut ask = command(&pip[0]);
        ask.args(&pip[1..]).arg("--version").current_dir(staging);
        ask.output().is_ok_and(|output| output.status.success())
    });
    let by_pip = |pip: Vec<OsString>| by_pip(place.command(&pip[0])?.args(&pip[1..]), wheel, staging);
    let file = match pip.map(by_pip) {
        Some(Ok(file)) => file,
        Some(Err(error)) if addresses.is_empty() => return Err(error),
        None if addresses.is_empty() => return Err(Error::NoUv),
        _ => by_python(&mut place.command(&python.executable)?, &addresses, wheel, staging)?,
    };
    verify(&file, wheel)?;
    Ok(file)
}

/// Every pip that may be here: the interpreter's own, those on the `PATH`, and the wheels that interpreters bring to start with.
fn pips(python: &Python) -> Vec<Vec<OsString>> {
    let own = python.executable.clone().into_os_string();
    let mut found = vec![vec![own.clone(), "-B".into(), "-m".into(), "pip".into()]];
    found.extend(files::on_path("pip3").into_iter().map(|pip| vec![pip.into_os_string()]));
    let bundled = [python.standard.join("ensurepip/_bundled"), PathBuf::from("/usr/share/python-wheels")];
    for entry in bundled.iter().filter_map(|dir| files::entries(dir).ok()).flatten() {
        if entry.file_name().to_string_lossy().starts_with("pip-") {
            found.push(vec![own.clone(), "-B".into(), entry.path().join("pip").into_os_string()]);
        }
    }
    found
}

fn by_pip(pip: &mut Command, wheel: &Wheel<'_>, staging: &Path) -> Result<PathBuf> {
    let requirements = staging.join("uv.txt");
    files::write(&requirements, format!("uv=={} --hash=sha256:{}\n", wheel.version(), wheel.sha256))?;
    pip.current_dir(staging).args(["download", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]);
    pip.args(["--retries=2", "--no-deps", "--only-binary=:all:", "--require-hashes"]);
    pip.arg("--dest").arg(staging).arg("--requirement").arg(&requirements);
    let output = pip.output().map_err(|error| command::could_not_start(pip, "fetch uv", &error))?;
    if output.status.success() {
        Ok(staging.join(wheel.filename))
    } else {
        Err(command::fetch_failed(&what(wheel), staging, &output))
    }
}

fn by_python(
    fetch: &mut Command,
    addresses: &[String],
    wheel: &Wheel<'_>,
    staging: &Path,
) -> Result<PathBuf> {
    let file = staging.join(wheel.filename);
    fetch.args(["-I", "-B", "-c", include_str!("scripts/fetch.py"), "uv"]).arg(&file).arg(wheel.sha256);
    let output = fetch
        .args(addresses)
        .output()
        .map_err(|error| command::could_not_start(fetch, "fetch uv", &error))?;
    if output.status.success() {
        Ok(file)
    } else {
        Err(Error::Network { what: what(wheel), output: command::last_words(&output) })
    }
}

fn verify(file: &Path, wheel: &Wheel<'_>) -> Result<()> {
    let found = hex(&Sha256::digest(files::read(file)?));
    if found == wheel.sha256 {
        return Ok(());
    }
    let output = format!("`{}` has the sha256 {found}, not {}", wheel.filename, wheel.sha256);
    Err(Error::Hash { what: what(wheel), output })
}

fn what(wheel: &Wheel<'_>) -> String {
    format!("`uv` {}", wheel.version())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    #[test]
    fn a_version_is_read_from_what_uv_prints() {
        assert_eq!(parse_version("uv 0.13.9 (x86_64-unknown-linux-gnu)\n"), Some([0, 13]));
        assert_eq!(parse_version("uv 1.0.0\n"), Some([1, 0]));
        assert_eq!(parse_version("uvular 3"), None);
        assert!(parse_version("uv 0.7.22\n") < Some(OLDEST));
    }

    #[test]
    fn each_architecture_has_one_pinned_wheel_of_one_version() {
        let versions: std::collections::BTreeSet<_> =
            ["x86_64", "aarch64"].map(|machine| pinned(machine).unwrap().version()).into_iter().collect();
        assert_eq!(versions.len(), 1);
        assert!(matches!(pinned("riscv64"), Err(Error::NoUv)));
    }

    #[test]
    fn another_file_than_the_pinned_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("uv.whl");
        std::fs::write(&file, "something else").unwrap();
        let error = verify(&file, &pinned("x86_64").unwrap()).unwrap_err();
        assert!(matches!(error, Error::Hash { .. }), "{error}");
    }

    /// Answers `requests` requests: a page for the project, `contents` for everything else.
    fn index_server(kind: &'static str, page: String, contents: &'static str, requests: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/simple", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().take(requests) {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(|line| line.unwrap());
                let request = lines.next().unwrap();
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let (kind, body) = if request.starts_with("GET /simple/uv/ ") {
                    (kind, page.as_str())
                } else {
                    ("application/zip", contents)
                };
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.0 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
                )
                .unwrap();
            }
        });
        address
    }

    #[test]
    fn without_pip_the_file_with_the_pinned_hash_is_fetched() {
        const CONTENTS: &str = "the wheel";
        let sha256 = hex(&Sha256::digest(CONTENTS));
        let wheel = Wheel { sha256: &sha256, size: 9, filename: "uv-1.0.0-py3-none-any.whl" };
        let html = format!(
            "<a href=\"../../files/old.whl#sha256=00\">old</a><a href='../../files/uv.whl#sha256={sha256}'>uv</a>"
        );
        let json = format!(
            "{{\"files\": [{{\"url\": \"/files/uv.whl\", \"hashes\": {{\"sha256\": \"{sha256}\"}}}}]}}"
        );
        let python = crate::python::find().expect("a Python, which the tests need").executable;
        for (kind, page) in [("text/html", html), ("application/vnd.pypi.simple.v1+json", json)] {
            let dir = tempfile::tempdir().unwrap();
            let address = index_server(kind, page, CONTENTS, 2);
            let file = by_python(&mut command(&python), &[address], &wheel, dir.path()).unwrap();
            verify(&file, &wheel).unwrap();
        }
    }

    #[test]
    fn an_index_without_the_file_is_told() {
        let wheel = pinned("x86_64").unwrap();
        let python = crate::python::find().expect("a Python, which the tests need").executable;
        let dir = tempfile::tempdir().unwrap();
        let address = index_server("text/html", "<a href='uv-0.whl#sha256=00'>uv</a>".to_owned(), "", 1);
        let error = by_python(&mut command(&python), &[address], &wheel, dir.path()).unwrap_err();
        assert!(error.to_string().contains("does not have the file"), "{error}");
    }
}
