//! What Deno would compile anew in every cell: the code of its own modules and of the kernel's. A kernel in Deno starts a
//! third faster with it.
//!
//! ```text
//! <runtime>/deno/v8_code_cache_v2                Deno's database, made by a kernel that runs a few calls
//! <runtime>/home/.cache/deno/v8_code_cache_v2    a link to it, which every home gets
//! ```
//!
//! What must stay true:
//!
//! - Nobody writes it: all cells of a node read the same one. Deno goes on where it cannot write what it compiled; all
//!   else that it keeps, such as remote modules, is the home's own.
//! - It only saves time, so that it could not be made is no error.
//! - The kernel that makes it opens no inspector, which would be everybody's on the host.
//!
//! Deno checks the database's version, V8 that of the code. Rejected: Deno's databases of what modules import and export,
//! which save nothing at the start, and without which it reads a library such as lodash again at every import, for 15 ms,
//! where it cannot write them; a copy for every home, a megabyte each, where most cells run no Deno (Deno reads it three
//! milliseconds faster); a cache that each home begins for itself, which costs more than it saves; the environment as its
//! place, since the kernel's own modules change with the program; all of the kernel's modules as one file, which saves one
//! millisecond.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::ROOT;
use crate::runtime::{RUNTIME, Runtime};

/// Its directory in the runtime's.
const NAME: &str = "deno";
/// Deno's name for it.
const CODE: &str = "v8_code_cache_v2";
pub(crate) const SCRIPT: &str = include_str!("scripts/deno_cache.py");

/// A cache that is being made.
pub(crate) struct Making(Option<Child>);

impl Making {
    /// Begins to make it in the runtime directory that is being staged, where the sources are already.
    pub(crate) fn begin(staged: &Path, environment: &Path) -> Making {
        // The places as Deno will call them.
        let (Ok(staged), Ok(environment)) = (std::path::absolute(staged), environment.canonicalize()) else {
            return Making(None);
        };
        let program = Runtime::Deno.program(&environment);
        if !program.is_file() {
            return Making(None);
        }
        let sources = Path::new("cellblock_kernel_js");
        let place = |here: &Path, there: &Path| format!("{}={}", here.display(), there.display());
        let entry = staged.join(sources).join("deno.mjs");
        let words = Runtime::Deno.kernel(0).into_iter().skip(1);
        let words = words.filter(|word| !word.starts_with("--inspect") && !word.starts_with("--v8-flags"));
        let words =
            words.map(|word| if word.ends_with("/deno.mjs") { entry.display().to_string() } else { word });
        let mut words: Vec<String> = words.collect();
        // The script appends the descriptor.
        words.pop();
        let child = Command::new(environment.join("base/bin/python3"))
            .args(["-I", "-S", "-c", SCRIPT])
            .arg(staged.join(NAME))
            .arg(place(&staged.join(sources), &Path::new(RUNTIME).join(sources)))
            .arg(place(&environment, Path::new(ROOT)))
            .arg(program)
            .args(words)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Making(child.ok())
    }

    /// Waits for it, and has every home begin with a link to it.
    pub(crate) fn end(self, staged: &Path) {
        let Making(Some(mut child)) = self else { return };
        let made = child.wait().is_ok_and(|status| status.success());
        if !made || link(staged).is_err() {
            let _ = fs::remove_dir_all(staged.join(NAME));
            let _ = fs::remove_dir_all(staged.join("home/.cache"));
        }
    }
}

fn link(staged: &Path) -> std::io::Result<()> {
    let links = staged.join("home/.cache/deno");
    fs::create_dir_all(&links)?;
    symlink(Path::new(RUNTIME).join(NAME).join(CODE), links.join(CODE))
}
