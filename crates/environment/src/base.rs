//! Copies a host's interpreter into an environment, and makes the environment a virtual environment on that copy.
//!
//! ```text
//! <root>/base/bin/python3.12        the interpreter           <root>/bin/python   a relative link to it
//! <root>/base/lib/python3.12/…      the standard library      <root>/pyvenv.cfg   says that the base is in the cell's path
//! <root>/base/lib/*.so              libraries that a cell     <root>/lib/python3.12/site-packages   the packages
//!                                   would not see otherwise
//! ```
//!
//! A virtual environment and not one prefix for both: distributions patch where packages go in a base (`dist-packages`,
//! `/usr/local`), and never in a virtual environment. It includes the base's own site directory, which is empty: only then does
//! Python look at a user's site directory too, and pip allow `--user`, here and in a session's layer, which has the same
//! configuration (`layer`).

use std::path::{Path, PathBuf};

use crate::elf::Elf;
use crate::error::{Error, Result};
use crate::files;
use crate::python::Python;

/// Parts of a standard library that no cell has a use for: tests, an editor, libraries to link against, what the host compiled,
/// and what the host's distribution adds for itself.
const LEFT_OUT: &[&str] = &[
    "site-packages",
    "dist-packages",
    "test",
    "tests",
    "idle_test",
    "idlelib",
    "turtledemo",
    "__pycache__",
    "EXTERNALLY-MANAGED",
    "sitecustomize.py",
    "usercustomize.py",
];

/// Copies `python` to `<root>/base` and lays out the virtual environment whose base will be seen at `<home>/base`.
pub(crate) fn build(python: &Python, root: &Path, home: &Path) -> Result<()> {
    let base = root.join("base");
    let name = python.name();
    let standard = base.join(below_prefix(python, &python.standard));
    files::create_dir(&base.join("bin"))?;
    let program = base.join("bin").join(&name);
    files::copy(&python.executable, &program)?;
    for alias in ["python3", "python"] {
        files::link(&name, &base.join("bin").join(alias))?;
    }
    files::copy_tree(&python.standard, &standard, &wanted)?;
    if !python.extensions.starts_with(&python.standard) && python.extensions.is_dir() {
        files::copy_tree(&python.extensions, &base.join(below_prefix(python, &python.extensions)), &wanted)?;
    }
    if python.include.join("Python.h").is_file() {
        files::copy_tree(&python.include, &base.join("include").join(&name), &|_| true)?;
    }
    forget_prefix(python, &standard)?;
    bring_libraries(python, &base, &program, &base.join(below_prefix(python, &python.extensions)))?;

    files::create_dir(&root.join("bin"))?;
    files::create_dir(&root.join("lib").join(&name).join("site-packages"))?;
    // Some distributions keep a second library directory and expect it in virtual environments too.
    files::link("lib", &root.join("lib64"))?;
    files::link(Path::new("../base/bin").join(&name), &root.join("bin/python"))?;
    for alias in ["python3", &name] {
        files::link("python", &root.join("bin").join(alias))?;
    }
    configure(python, root, home)
}

/// Says in `pyvenv.cfg` where the base is: at `<home>/base`.
pub(crate) fn configure(python: &Python, root: &Path, home: &Path) -> Result<()> {
    let text = format!(
        "home = {}\ninclude-system-site-packages = true\nversion = {}\n",
        home.join("base/bin").display(),
        python.version
    );
    files::write(&root.join("pyvenv.cfg"), text)
}

/// Where a file of the interpreter stands below its prefix, which the copy keeps: Python finds its library by it.
fn below_prefix(python: &Python, path: &Path) -> PathBuf {
    match path.strip_prefix(&python.prefix) {
        Ok(below) => below.to_owned(),
        Err(_) => Path::new("lib")
            .join(python.name())
            .join(path.strip_prefix(&python.standard).unwrap_or(Path::new("lib-dynload"))),
    }
}

fn wanted(below: &Path) -> bool {
    let name = below.file_name().unwrap_or_default().to_string_lossy();
    let linked = below.components().count() == 1 && name.starts_with("config-");
    !(linked
        || LEFT_OUT.contains(&name.as_ref())
        || Path::new(name.as_ref()).extension().is_some_and(|each| each == "a"))
}

/// Puts the cell's path in the place of the host's where the standard library tells how it was built: a user's home directory
/// is no cell's business.
fn forget_prefix(python: &Python, standard: &Path) -> Result<()> {
    if python.prefix == Path::new("/usr") {
        return Ok(());
    }
    let host = python.prefix.to_string_lossy();
    let cell = Path::new(crate::ROOT).join("base");
    for entry in files::entries(standard)? {
        if entry.file_name().to_string_lossy().starts_with("_sysconfig") {
            let text = files::read_text(&entry.path())?;
            if text.contains(&*host) {
                files::write(&entry.path(), text.replace(&*host, &cell.to_string_lossy()))?;
            }
        }
    }
    Ok(())
}

/// Copies the libraries that cells do not see and makes everything that may need them look for them there.
fn bring_libraries(python: &Python, base: &Path, program: &Path, extensions: &Path) -> Result<()> {
    let hidden = python.hidden_libraries();
    if hidden.is_empty() {
        return Ok(());
    }
    let place = base.join("lib");
    files::create_dir(&place)?;
    let mut users = vec![(program.to_owned(), "$ORIGIN/../lib")];
    for library in hidden {
        let name = Elf::parse(files::read(library)?).and_then(|elf| elf.soname());
        let copy = place.join(
            name.as_deref().map_or_else(|| Path::new(library.file_name().unwrap_or_default()), Path::new),
        );
        files::copy(library, &copy)?;
        users.push((copy, "$ORIGIN"));
    }
    // An extension module with a search path of its own ignores the program's.
    if extensions.is_dir() {
        users.extend(
            files::entries(extensions)?.into_iter().map(|entry| (entry.path(), "$ORIGIN/../../../lib")),
        );
    }
    for (user, path) in users {
        let Some(elf) = Elf::parse(files::read(&user)?) else { continue };
        let own = elf.search_path();
        let is_program = user == program;
        if own.as_deref() == Some(path) || (own.is_none() && !is_program) {
            continue;
        }
        let changed = elf.with_search_path(path).ok_or_else(|| Error::Program {
            operation: format!("give `{}` a search path for its libraries", user.display()),
            output: "there is no room for one in the file; name another interpreter in `CELLBLOCK_PYTHON`"
                .to_owned(),
        })?;
        files::replace(&user, &changed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_cell_needs_stays_behind() {
        for path in [
            "test",
            "site-packages",
            "sqlite3/test",
            "os/__pycache__",
            "config-3.12-x86_64-linux-gnu",
            "lib2to3/tests",
        ] {
            assert!(!wanted(Path::new(path)), "{path}");
        }
        for path in [
            "os.py",
            "ensurepip/_bundled/pip.whl",
            "unittest/case.py",
            "lib-dynload/_ssl.so",
            "config-reader/x.py",
        ] {
            assert!(wanted(Path::new(path)) || path.starts_with("config-"), "{path}");
        }
    }

    #[test]
    fn the_copy_keeps_its_shape() {
        let python = crate::python::tests::python();
        assert_eq!(below_prefix(&python, &python.standard), Path::new("lib/python3.12"));
        assert_eq!(below_prefix(&python, &python.extensions), Path::new("lib/python3.12/lib-dynload"));
        assert_eq!(
            below_prefix(&python, Path::new("/elsewhere/lib-dynload")),
            Path::new("lib/python3.12/lib-dynload")
        );
    }

    #[test]
    fn the_configuration_names_the_cells_path() {
        let dir = tempfile::tempdir().unwrap();
        configure(&crate::python::tests::python(), dir.path(), Path::new("/opt/cellblock/env")).unwrap();
        let text = files::read_text(&dir.path().join("pyvenv.cfg")).unwrap();
        assert!(
            text.starts_with("home = /opt/cellblock/env/base/bin\n") && text.contains("version = 3.12.1")
        );
    }
}
