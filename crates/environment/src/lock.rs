//! The lock of an environment: which packages, and the hash and size of each wheel that may be installed.
//!
//! Two files of the same resolution (see `lock/renew.py`): requirements as uv and pip read them, and a table of wheels. Neither
//! holds an address: where wheels come from is the user's own configuration, what they contain is ours.

use crate::error::{Error, Result};

/// One package of the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// The normalized name.
    pub(crate) name: String,
    pub(crate) version: String,
    /// The lines of the requirements file that ask for this package, hashes included.
    pub(crate) requirement: String,
    /// Bytes of the wheel that will be fetched.
    pub(crate) size: u64,
}

/// A row of the table of wheels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wheel<'a> {
    pub(crate) sha256: &'a str,
    pub(crate) size: u64,
    pub(crate) filename: &'a str,
}

impl<'a> Wheel<'a> {
    /// The dash-separated fields of a wheel's name: name, version, tags for Python, ABI and platform.
    fn fields(&self) -> Option<[&'a str; 5]> {
        let fields: Vec<&str> = self.filename.strip_suffix(".whl")?.split('-').collect();
        fields.try_into().ok()
    }

    pub(crate) fn name(&self) -> &'a str {
        self.fields().map_or("", |fields| fields[0])
    }

    pub(crate) fn version(&self) -> &'a str {
        self.fields().map_or("", |fields| fields[1])
    }

    /// How well the wheel suits Python 3.`minor` on `machine`; `None` where it cannot be installed at all.
    pub(crate) fn suits(&self, minor: u8, machine: &str) -> Option<(u8, u32)> {
        let [_, _, pythons, abis, platforms] = self.fields()?;
        let glibc = platforms.split('.').filter_map(|platform| glibc_of(platform, machine)).max()?;
        let exact = format!("cp3{minor}");
        if abis.split('.').any(|abi| abi == exact) {
            return Some((3, glibc));
        }
        let newest = pythons.split('.').filter_map(|tag| tag.strip_prefix("cp3")?.parse::<u8>().ok()).max();
        match abis {
            "abi3" if newest.is_some_and(|newest| newest <= minor) => Some((2, glibc)),
            "none" if pythons.split('.').any(|tag| tag == "py3" || tag == exact) => Some((1, glibc)),
            _ => None,
        }
    }
}

/// The glibc version that a platform tag asks for (as 100 × major + minor); 0 for `any`, `None` for another platform.
fn glibc_of(platform: &str, machine: &str) -> Option<u32> {
    if platform == "any" {
        return Some(0);
    }
    match platform.strip_suffix(machine)?.strip_suffix('_')? {
        "manylinux1" => Some(205),
        "manylinux2010" => Some(212),
        "manylinux2014" => Some(217),
        other => {
            let (major, minor) = other.strip_prefix("manylinux_")?.split_once('_')?;
            Some(major.parse::<u32>().ok()? * 100 + minor.parse::<u32>().ok()?)
        }
    }
}

/// The rows of a table of wheels.
pub(crate) fn wheels(table: &str) -> Result<Vec<Wheel<'_>>> {
    table
        .lines()
        .map(|line| {
            let row = || {
                let mut fields = line.split(' ');
                let (sha256, size, filename) = (fields.next()?, fields.next()?, fields.next()?);
                let wheel = Wheel { sha256, size: size.parse().ok()?, filename };
                (sha256.len() == 64 && fields.next().is_none() && wheel.fields().is_some()).then_some(wheel)
            };
            row().ok_or_else(|| Error::Malformed {
                what: "table of wheels".to_owned(),
                problem: line.to_owned(),
            })
        })
        .collect()
}

/// The packages of a lock that Python 3.`minor` on `machine` gets, with the sizes of the wheels that it will take. A package
/// without a wheel for it is not for it: the table was made so.
pub(crate) fn packages(requirements: &str, table: &str, minor: u8, machine: &str) -> Result<Vec<Package>> {
    let wheels = wheels(table)?;
    let mut packages: Vec<Package> = Vec::new();
    for line in requirements.lines() {
        if line.starts_with(' ') {
            let package = packages.last_mut().ok_or_else(|| malformed(line))?;
            package.requirement.push_str(line);
            package.requirement.push('\n');
        } else if !line.is_empty() && !line.starts_with('#') {
            let (name, version) =
                line.trim_end_matches([' ', '\\']).split_once("==").ok_or_else(|| malformed(line))?;
            packages.push(Package {
                name: name.to_owned(),
                version: version.to_owned(),
                requirement: format!("{line}\n"),
                size: 0,
            });
        }
    }
    for package in &mut packages {
        let file_name = package.name.replace('-', "_");
        package.size = wheels
            .iter()
            .filter(|wheel| {
                wheel.name().eq_ignore_ascii_case(&file_name) && wheel.version() == package.version
            })
            .filter_map(|wheel| Some((wheel.suits(minor, machine)?, wheel.size)))
            .max()
            .map_or(0, |(_, size)| size);
    }
    packages.retain(|package| package.size > 0);
    Ok(packages)
}

fn malformed(line: &str) -> Error {
    Error::Malformed { what: "requirements".to_owned(), problem: line.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::KNOWN;
    use std::collections::BTreeSet;

    fn wheel(filename: &str) -> Wheel<'_> {
        Wheel { sha256: "", size: 1, filename }
    }

    #[test]
    fn a_wheel_suits_its_interpreter_and_machine_alone() {
        let exact = wheel("numpy-2.4.6-cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl");
        assert_eq!(exact.suits(12, "x86_64"), Some((3, 228)));
        assert_eq!(exact.suits(13, "x86_64"), None);
        assert_eq!(exact.suits(12, "aarch64"), None);
        let stable = wheel("psutil-7.2.2-cp36-abi3-manylinux2014_aarch64.manylinux_2_17_aarch64.whl");
        assert_eq!(stable.suits(14, "aarch64"), Some((2, 217)));
        assert_eq!(wheel("duckdb-2.0.0-cp312-abi3-manylinux_2_28_x86_64.whl").suits(11, "x86_64"), None);
        assert_eq!(wheel("idna-3.20-py2.py3-none-any.whl").suits(11, "riscv64"), Some((1, 0)));
        assert_eq!(wheel("x-1-cp313-cp313t-manylinux_2_28_x86_64.whl").suits(13, "x86_64"), None);
        assert_eq!(wheel("x-1-cp313-cp313-musllinux_1_2_x86_64.whl").suits(13, "x86_64"), None);
    }

    #[test]
    fn a_torn_table_or_requirement_is_refused() {
        assert!(wheels("abc 12 x-1-py3-none-any.whl\n").is_err());
        assert!(wheels(&format!("{} twelve x-1-py3-none-any.whl\n", "0".repeat(64))).is_err());
        assert!(packages("    --hash=sha256:00\n", "", 11, "x86_64").is_err());
        assert!(packages("numpy>=2 \\\n", "", 11, "x86_64").is_err());
    }

    #[test]
    fn every_lock_is_whole_for_every_interpreter_and_machine() {
        for recipe in KNOWN {
            let hashes: BTreeSet<&str> = recipe
                .requirements
                .lines()
                .filter_map(|line| line.split("--hash=sha256:").nth(1))
                .map(|hash| &hash[..64])
                .collect();
            let rows: BTreeSet<&str> =
                wheels(recipe.wheels).unwrap().iter().map(|wheel| wheel.sha256).collect();
            assert_eq!(hashes, rows, "{}: requirements and wheels are not of one resolution", recipe.name);
            for minor in 11..=14 {
                for machine in ["x86_64", "aarch64"] {
                    let found = packages(recipe.requirements, recipe.wheels, minor, machine).unwrap();
                    assert!(found.iter().all(|package| package.requirement.contains("--hash=sha256:")));
                    let names: BTreeSet<&str> = found.iter().map(|package| package.name.as_str()).collect();
                    let left_out: Vec<&str> =
                        named(recipe.requirements).filter(|name| !names.contains(name)).collect();
                    let spacy = recipe.name == "full" && minor == 14;
                    let expected = if spacy { NOT_FOR_14 } else { &[] };
                    assert_eq!(left_out, expected, "`{}` for 3.{minor} on {machine}", recipe.name);
                }
            }
        }
    }

    /// spaCy and what only it needs have no wheels for Python 3.14.
    const NOT_FOR_14: &[&str] = &["blis", "cymem", "murmurhash", "preshed", "spacy", "srsly", "thinc"];

    fn named(requirements: &str) -> impl Iterator<Item = &str> {
        requirements.lines().filter_map(|line| Some(line.split_once("==")?.0))
    }

    #[test]
    fn no_lock_holds_an_address() {
        for recipe in KNOWN {
            for text in [recipe.requirements, recipe.wheels, recipe.modules] {
                assert!(!text.contains("://") && !text.contains(" @ ") && !text.contains("index"));
            }
        }
    }
}
