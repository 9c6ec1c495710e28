//! Installs the environment `lean` for real: needs the network and a minute, so only where `CELLBLOCK_TEST_INSTALL` is 1.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use environment::{Environments, Fetching, Progress, ROOT, Stage};

/// Set for a child of this test: the directory that it installs into until it is killed.
const VICTIM: &str = "CELLBLOCK_TEST_INSTALL_VICTIM";

/// Keeps what it is told, and tells the parent of a child.
#[derive(Default)]
struct Told {
    stages: Vec<Stage>,
    fetching: Option<Fetching>,
    compiled: (usize, usize),
}

impl Progress for Told {
    fn stage(&mut self, stage: Stage) {
        self.stages.push(stage);
        let _ = writeln!(std::io::stderr(), "stage: {stage:?}");
    }

    fn fetching(&mut self, fetching: &Fetching) {
        let before = self.fetching.replace(fetching.clone()).map_or(0, |fetching| fetching.bytes_done);
        assert!(before <= fetching.bytes_done && fetching.bytes_done <= fetching.bytes_total);
    }

    fn compiling(&mut self, done: usize, total: usize) {
        self.compiled = (done, total);
    }
}

#[test]
fn an_environment_is_installed_once_whatever_happens_and_works_where_cells_see_it() {
    if let Some(dir) = std::env::var_os(VICTIM) {
        Environments::new(dir).install("lean", &mut Told::default()).unwrap();
        return;
    }
    if std::env::var_os("CELLBLOCK_TEST_INSTALL").is_none_or(|value| value != "1") {
        // Past the test harness, which would keep it to itself.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: no real install was tried: set CELLBLOCK_TEST_INSTALL=1 (network, a minute)"
        );
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let environments = Environments::new(dir.path().join("environments"));

    kill_an_install(environments.dir());
    assert_eq!(environments.find("lean").unwrap(), None, "half an environment is used");

    let (first, second) = install_twice(&environments);
    let worked = |told: &Told| told.stages.contains(&Stage::Storing);
    assert!(worked(&first) != worked(&second), "one installs: {:?} {:?}", first.stages, second.stages);
    let (worked, waited) = if worked(&first) { (first, second) } else { (second, first) };
    assert_eq!(waited.stages, [Stage::Waiting], "the other waits, and finds what the first has made");
    assert!(worked.stages.is_sorted() && worked.stages.last() == Some(&Stage::Storing));
    let fetched = worked.fetching.expect("packages were fetched");
    assert_eq!((fetched.packages_done, fetched.bytes_done), (fetched.packages_total, fetched.bytes_total));
    assert!(worked.compiled.1 > 1000 && worked.compiled.0 == worked.compiled.1);

    let installed = environments.find("lean").unwrap().expect("it is installed");
    let description = environments.describe("lean").unwrap();
    for name in [
        "ipython",
        "numpy",
        "pandas",
        "matplotlib",
        "scipy",
        "seaborn",
        "requests",
        "openpyxl",
        "pillow",
        "duckdb",
        "pip",
    ] {
        assert!(description.packages.iter().any(|(package, _)| package == name), "{name} is missing");
    }
    for name in [
        "axios",
        "lodash",
        "uuid",
        "zod",
        "cheerio",
        "papaparse",
        "d3-array",
        "simple-statistics",
        "mathjs",
        "date-fns",
        "typescript",
        "@types/node",
        "esbuild",
        "acorn",
    ] {
        assert!(description.javascript.iter().any(|(package, _)| package == name), "{name} is missing");
    }
    assert!(worked.stages.contains(&Stage::Libraries));
    let types = std::fs::read_to_string(installed.root.join("lib/deno.d.ts")).unwrap();
    assert!(types.contains("declare namespace Deno"));
    for name in ["python", "pip", "node", "npm", "deno"] {
        assert!(
            description.programs.get(name).is_some_and(|version| !version.is_empty()),
            "{name} is missing"
        );
    }
    assert!(installed.font_list().is_some());

    let left: Vec<_> =
        std::fs::read_dir(environments.dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let expected = |name: &str| matches!(name, ".lock" | ".tools") || installed.root.ends_with(name);
    assert!(left.iter().all(|name| expected(name.to_str().unwrap())), "something is left behind: {left:?}");

    check_tree(&installed.root, dir.path());
    run_where_cells_see_it(&installed.root);
}

/// Kills an install without warning while it lays out packages.
fn kill_an_install(dir: &Path) {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("an_environment_is_installed_once_whatever_happens_and_works_where_cells_see_it")
        .env(VICTIM, dir)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(victim.stderr.take().unwrap()).lines().map_while(Result::ok) {
        said.push(line);
        if said.last().is_some_and(|line| line.contains("Installing")) {
            break;
        }
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    let far_enough = said.last().is_some_and(|line| line.contains("Installing"));
    assert!(far_enough, "the install that was to be killed failed before: {said:#?}");
}

fn install_twice(environments: &Environments) -> (Told, Told) {
    let told = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut progress = Told::default();
                environments.install("lean", &mut progress).unwrap();
                told.lock().unwrap().push(progress);
            });
        }
    });
    let mut told = told.into_inner().unwrap().into_iter();
    (told.next().unwrap(), told.next().unwrap())
}

/// Every file can be read by everybody, and none names the directory it was made in.
fn check_tree(root: &Path, made_in: &Path) {
    let made_in = made_in.to_str().unwrap().as_bytes();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let (path, metadata) = (entry.path(), entry.metadata().unwrap());
            if metadata.is_symlink() {
                assert!(
                    !std::fs::read_link(&path).unwrap().is_absolute(),
                    "{} leads outside",
                    path.display()
                );
                continue;
            }
            let mode = metadata.permissions().mode() & 0o7777;
            if metadata.is_dir() {
                assert_eq!(mode, 0o755, "{}", path.display());
                dirs.push(path);
            } else {
                assert!(matches!(mode, 0o644 | 0o755), "{} has the mode {mode:o}", path.display());
                let found = memchr::memmem::find(&std::fs::read(&path).unwrap(), made_in).is_some();
                assert!(!found, "{} names the place where it was made", path.display());
            }
        }
    }
}

/// Binds the environment where cells see it, read-only, hides the place where it was made, and runs its programs.
fn run_where_cells_see_it(root: &Path) {
    let script = r#"
        set -e
        mount -t tmpfs none /mnt
        mkdir /mnt/env
        mount --bind "$1" /mnt/env
        mount -t tmpfs none /opt
        mkdir -p /opt/cellblock/env
        mount --bind /mnt/env /opt/cellblock/env
        mount -o remount,bind,ro /opt/cellblock/env
        mount -t tmpfs none /tmp
        umount /mnt/env
        # Python's programs are started by the interpreter of a session's layer.
        python=$(basename "$(readlink /opt/cellblock/env/bin/python)")
        mount -t tmpfs none /home
        mkdir -p /home/user/.local/bin "/home/user/.local/lib/$python/site-packages"
        ln -s /opt/cellblock/env/pyvenv.cfg /home/user/.local/pyvenv.cfg
        ln -s "/opt/cellblock/env/base/bin/$python" /home/user/.local/bin/python
        echo "/opt/cellblock/env/lib/$python/site-packages" > "/home/user/.local/lib/$python/site-packages/zzz.pth"
        export HOME=/tmp PATH=/opt/cellblock/env/bin:/usr/bin:/bin MPLCONFIGDIR=/tmp/mpl DENO_DIR=/tmp/deno
        cd /tmp
        python3 --version; pip --version; node --version; npm --version; npx --version; deno --version; ipython --version
        node -e 'const from = require("node:module").createRequire("/opt/cellblock/env/lib/from.js")
for (const name of ["axios", "lodash", "uuid", "zod", "cheerio", "papaparse", "d3-array", "simple-statistics", "mathjs", "date-fns"])
    from(name)
from("esbuild").transformSync("let one: number = 1", { loader: "ts" })'
        node /opt/cellblock/env/lib/node_modules/.bin/tsc --version
        mkdir mpl; cp /opt/cellblock/env/share/matplotlib/fontlist-*.json mpl/
        python - <<'END'
import importlib.util, os, subprocess, sys, traceback
import IPython, PIL.Image, duckdb, matplotlib, numpy, openpyxl, pandas, requests, scipy.stats, seaborn, sqlite3, ssl
import matplotlib.pyplot as plt
assert sys.executable == "/opt/cellblock/env/bin/python", sys.executable
assert sys.prefix == "/opt/cellblock/env" and sys.base_prefix == "/opt/cellblock/env/base", (sys.prefix, sys.base_prefix)
assert all(path.startswith("/opt/cellblock/env/") for path in sys.path if path), sys.path
plt.plot([1, 2, 3])
plt.savefig("chart.png")
assert os.path.getsize("chart.png") > 1000
for name, module in list(sys.modules.items()):
    file = getattr(module, "__file__", None)
    if file and file.endswith(".py") and name != "__main__":
        cached = importlib.util.cache_from_source(file)
        assert os.path.exists(cached), f"{file} is not compiled"
try:
    pandas.DataFrame({"a": [1]})["b"]
except KeyError:
    text = traceback.format_exc()
    assert "/opt/cellblock/env/lib/python3" in text and "get_loc(key)" in text, text
assert subprocess.check_output([sys.executable, "-c", "print(6 * 7)"]) == b"42\n"
print("all is well")
END
    "#;
    let run = |unshare: &[&str]| {
        Command::new("unshare").args(unshare).args(["sh", "-c", script, "sh"]).arg(root).output().unwrap()
    };
    let ready = Command::new("unshare").args(["-rm", "true"]).output();
    if !ready.is_ok_and(|output| output.status.success()) {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: `{ROOT}` was not tried: `unshare -rm` does not work for this user"
        );
        return;
    }
    let output = run(&["-rm"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.ends_with("all is well\n"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
