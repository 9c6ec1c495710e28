//! Landlock: rules about paths that a process lays upon itself and all its descendants, beside what mounts, ids and
//! permission bits say.
//!
//! The three system calls are made directly. (Rejected: the `landlock` crate. A child between fork and exec may only
//! make the bare call, and what is left is a page.)

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// Since Linux 5.19 rules can allow renames from one directory to another. Before, any rule forbids all of them, which
/// git, pip and npm do not survive.
const OLDEST: u32 = 2;

/// The rights about files that each version of the interface knows, from the first on; later ones know the last's.
const KNOWN: &[u64] = &[(1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1, (1 << 15) - 1, (1 << 16) - 1];

/// The first version whose refusals go to the host's audit log, unless one says otherwise.
const LOGS: u32 = 7;
/// `LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF | LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF`: what a program tries may
/// not fill the host's log.
const LOG_NOTHING: u32 = 1 << 0 | 1 << 2;

/// `LANDLOCK_CREATE_RULESET_VERSION`
const ASK_VERSION: u32 = 1;
/// `LANDLOCK_RULE_PATH_BENEATH`
const BENEATH: u32 = 1;

/// `struct landlock_ruleset_attr`, as its first version has it: what is left out is not restricted.
#[repr(C)]
struct Attributes {
    handled_access_fs: u64,
}

/// `struct landlock_path_beneath_attr`
#[repr(C, packed)]
struct PathBeneath {
    allowed_access: u64,
    parent_fd: i32,
}

/// The version of the interface with which rules can be made here; `None` where the kernel has none, where it was
/// switched off at boot, and where it is too old to be of use (before Linux 5.19).
pub fn abi() -> Option<u32> {
    let nothing = std::ptr::null::<Attributes>();
    // SAFETY: asked for its version, the call reads nothing.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0_usize, ASK_VERSION) };
    u32::try_from(version).ok().filter(|version| *version >= OLDEST)
}

/// Rules, ready to be laid upon processes.
#[derive(Debug)]
pub struct Ruleset {
    fd: OwnedFd,
    flags: u32,
}

impl Ruleset {
    /// These rights (the bits of `linux/landlock.h`) beneath each of these paths, as this process sees them now, and no
    /// other right that this kernel knows anywhere else. A path that does not exist is passed over.
    ///
    /// `None` where [`abi`] says so: then there is nothing to lay upon anybody.
    pub fn new<'a>(grants: impl IntoIterator<Item = (&'a str, u64)>) -> io::Result<Option<Ruleset>> {
        let Some(version) = abi() else { return Ok(None) };
        let known = KNOWN[KNOWN.len().min(version as usize) - 1];
        let attributes = Attributes { handled_access_fs: known };
        // SAFETY: the structure is alive and of the size that is told.
        let fd = check(unsafe {
            libc::syscall(
                libc::SYS_landlock_create_ruleset,
                &raw const attributes,
                size_of::<Attributes>(),
                0,
            )
        })?;
        // SAFETY: the kernel has just made it, closed on exec, for nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(fd as RawFd) };
        let flags = if version >= LOGS { LOG_NOTHING } else { 0 };
        let ruleset = Ruleset { fd, flags };
        for (path, rights) in grants {
            ruleset.add(path, rights & known)?;
        }
        Ok(Some(ruleset))
    }

    fn add(&self, path: &str, rights: u64) -> io::Result<()> {
        let place = match rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
            Ok(place) => place,
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        };
        if rights == 0 {
            return Ok(());
        }
        let rule = PathBeneath { allowed_access: rights, parent_fd: place.as_raw_fd() };
        // SAFETY: the structure is alive and is what this kind of rule is read from.
        check(unsafe {
            libc::syscall(libc::SYS_landlock_add_rule, self.fd.as_raw_fd(), BENEATH, &raw const rule, 0)
        })
        .map(drop)
    }

    /// The same rules in a descriptor with no lower number than this.
    pub(crate) fn duplicate(&self, lowest: RawFd) -> io::Result<Ruleset> {
        Ok(Ruleset { fd: crate::ready::duplicate(&self.fd, lowest)?, flags: self.flags })
    }

    /// Lays the rules upon this thread and all that it will start, for good. It needs `no_new_privs`. A bare system
    /// call: it may be made between fork and exec.
    pub fn restrict(&self) -> Result<(), Errno> {
        // SAFETY: takes integers only, and acts on this thread alone.
        match unsafe { libc::syscall(libc::SYS_landlock_restrict_self, self.fd.as_raw_fd(), self.flags) } {
            0 => Ok(()),
            _ => Err(crate::spawn::last_errno()),
        }
    }
}

fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::fd::AsFd;

    const READ: u64 = 1 << 2;
    const LIST: u64 = 1 << 3;
    const WRITE: u64 = 1 << 1;
    const MAKE: u64 = 1 << 8;

    /// Runs this in a thread behind these rules; `None`, having said so, where the kernel has none.
    fn behind<T: Send>(grants: &[(&str, u64)], act: impl FnOnce() -> T + Send) -> Option<T> {
        let Some(ruleset) = Ruleset::new(grants.iter().copied()).unwrap() else {
            eprintln!("SKIPPED: this kernel has no Landlock, or one from before Linux 5.19");
            return None;
        };
        std::thread::scope(|scope| {
            let thread = scope.spawn(move || {
                rustix::thread::set_no_new_privs(true).unwrap();
                ruleset.restrict().unwrap();
                act()
            });
            Some(thread.join().unwrap())
        })
    }

    #[test]
    fn the_rules_alone_hold_what_permission_bits_would_let_through() {
        let scratch = std::env::temp_dir().join(format!("sys-landlock-{}", std::process::id()));
        for name in ["shown", "hidden", "own"] {
            fs::create_dir_all(scratch.join(name)).unwrap();
            fs::write(scratch.join(name).join("file"), name).unwrap();
        }
        let path = |name: &str| scratch.join(name).join("file");
        let text = |name: &str| scratch.join(name).to_str().unwrap().to_owned();
        let (shown, own) = (text("shown"), text("own"));
        let grants =
            [(shown.as_str(), READ | LIST), (own.as_str(), READ | WRITE | MAKE), ("/no/such/path", READ)];
        let tried = behind(&grants, || {
            let write = |name: &str| fs::File::options().append(true).open(path(name)).map(drop);
            [
                fs::read(path("shown")).map(drop),
                fs::read(path("own")).map(drop),
                write("own"),
                fs::write(scratch.join("own/new"), "").map(drop),
                // Refused from here on.
                fs::read(path("hidden")).map(drop),
                fs::read_dir(scratch.join("hidden")).map(drop),
                write("shown"),
                fs::write(scratch.join("shown/new"), "").map(drop),
                fs::remove_file(path("own")),
                std::os::unix::fs::symlink("x", scratch.join("own/link")),
            ]
            .map(|result| result.map_err(|error| error.kind()))
        });
        let free =
            [fs::read(path("hidden")).is_ok(), fs::File::options().append(true).open(path("shown")).is_ok()];
        fs::remove_dir_all(&scratch).unwrap();
        assert_eq!(free, [true, true], "without the rules nothing is in the way");
        let Some(tried) = tried else { return };
        let refused = Err(io::ErrorKind::PermissionDenied);
        assert_eq!(tried[..4], [Ok(()); 4]);
        assert_eq!(tried[4..], [refused; 6]);
    }

    #[test]
    fn rules_that_allow_nothing_leave_open_descriptors_alone() {
        let own = fs::File::open("/dev/null").unwrap();
        let tried = behind(&[], || (fs::read_dir("/").is_ok(), rustix::io::dup(own.as_fd()).is_ok()));
        assert!(matches!(tried, None | Some((false, true))), "{tried:?}");
    }

    #[test]
    fn the_version_is_told_as_the_kernel_tells_it() {
        // 5.19 is the first that is of use; a newer kernel may have been built or booted without.
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        let mut numbers =
            release.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse::<u32>().ok());
        let kernel = (numbers.next().unwrap(), numbers.next().unwrap_or(0));
        match abi() {
            Some(version) => assert!(version >= OLDEST && kernel >= (5, 19), "{version} {release}"),
            None => eprintln!("note: Linux {release} has no Landlock that is of use"),
        }
    }
}
