//! The configuration: each key with its value and where that came from.
//!
//! A key is `section.name` in a TOML file and `CELLBLOCK_SECTION_NAME` in the environment; some are options of the
//! command line, too. The command line comes before the environment, that before the file, and that before the default.
//! A key that is not known is refused: a limit with a typing error would else be no limit. Rejected: a library that
//! merges sources; none that is kept up tells where a value came from.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::Path;

use crate::hints::Hint;

/// What a key's value is.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Number { min: u64, max: u64 },
}

/// A key.
#[derive(Debug)]
struct Key {
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    says: &'static str,
}

const fn text(name: &'static str, default: Option<&'static str>, says: &'static str) -> Key {
    Key { name, kind: Kind::Text, default, says }
}

const fn number(
    name: &'static str,
    min: u64,
    max: u64,
    default: Option<&'static str>,
    says: &'static str,
) -> Key {
    Key { name, kind: Kind::Number { min, max }, default, says }
}

const KEYS: &[Key] = &[
    text("server.listen", Some("127.0.0.1:8080"), "where the server listens"),
    text("server.data", None, "the data directory"),
    text("server.environments", None, "where environments are installed"),
    text("server.env", Some("full"), "the environment that cells see"),
    number("limits.cpus", 1, 4096, Some("2"), "processors' worth of time of a session"),
    number("limits.memory_mib", 32, 1 << 24, Some("4096"), "memory of a session, MiB"),
    number("limits.processes", 16, 1 << 22, Some("512"), "processes and threads of a session"),
    number("limits.disk_mib", 16, 1 << 30, Some("10240"), "disk of a session, MiB"),
    number("limits.call_seconds", 1, 28_800, Some("900"), "how long one call may take, s"),
    number("limits.session_seconds", 1, 28_800, Some("28800"), "how long a session may live, s"),
    number("limits.sessions", 1, 100_000, Some("1000"), "sessions at the same time"),
    number("limits.total_memory_mib", 64, 1 << 30, None, "memory of all sessions together, MiB"),
];

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Default,
    File(String),
    Environment(String),
    CommandLine(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path) => f.write_str(path),
            Origin::Environment(name) => f.write_str(name),
            Origin::CommandLine(option) => f.write_str(option),
        }
    }
}

/// All keys that have a value.
#[derive(Debug, Clone)]
pub(crate) struct Config(BTreeMap<&'static str, (String, Origin)>);

/// The environment variable of a key.
fn variable(name: &str) -> String {
    format!("CELLBLOCK_{}", name.replace('.', "_").to_uppercase())
}

impl Config {
    /// Puts together what the file, the environment and the command line say; `options` are keys, options and values.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
        options: &[(&str, &'static str, Option<String>)],
    ) -> anyhow::Result<Config> {
        let mut config = Config(BTreeMap::new());
        let mut from_file = file.map(read).transpose()?.unwrap_or_default();
        for key in KEYS {
            if let Some(default) = key.default {
                config.0.insert(key.name, (default.to_owned(), Origin::Default));
            }
            if let (Some(value), Some(path)) = (from_file.remove(key.name), file) {
                config.0.insert(key.name, (value, Origin::File(path.display().to_string())));
            }
            let name = variable(key.name);
            if let Some(value) = environment(&name).filter(|value| !value.is_empty()) {
                config.0.insert(key.name, (value, Origin::Environment(name)));
            }
            let option = options.iter().find(|(name, ..)| *name == key.name);
            if let Some((_, option, Some(value))) = option {
                config.0.insert(key.name, (value.clone(), Origin::CommandLine(option)));
            }
            config.check(key)?;
        }
        if let Some(unknown) = from_file.keys().next() {
            let known: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
            let what = format!("understand the configuration: there is no key `{unknown}`");
            return Err(Hint::new(what, format!("the keys are {}", known.join(", "))).into());
        }
        Ok(config)
    }

    fn check(&self, key: &Key) -> anyhow::Result<()> {
        let (Some((value, origin)), Kind::Number { min, max }) = (self.0.get(key.name), key.kind) else {
            return Ok(());
        };
        if value.parse::<u64>().is_ok_and(|number| (min..=max).contains(&number)) {
            return Ok(());
        }
        let what =
            format!("understand the configuration: `{value}` is no value of `{}` ({origin})", key.name);
        Err(Hint::new(what, format!("it is a whole number from {min} to {max}: {}", key.says)).into())
    }

    /// A key's value, if it has one.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|(value, _)| value.as_str())
    }

    /// A number's value, if it has one.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// A file of this configuration, with where each value came from.
    pub(crate) fn show(&self) -> String {
        let mut shown = String::new();
        let mut section = "";
        for key in KEYS {
            let (table, name) = key.name.split_once('.').unwrap_or(("", key.name));
            if table != section {
                let gap = if section.is_empty() { "" } else { "\n" };
                let _ = writeln!(shown, "{gap}[{table}]");
                section = table;
            }
            let line = match self.0.get(key.name) {
                Some((value, origin)) => {
                    let value = match key.kind {
                        Kind::Text => toml::Value::String(value.clone()).to_string(),
                        Kind::Number { .. } => value.clone(),
                    };
                    format!("{name} = {value}  # {origin}")
                }
                None => format!("# {name} is not set"),
            };
            let _ = writeln!(shown, "{line}");
        }
        shown
    }
}

/// The keys of a file, flat.
fn read(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Hint::new(format!("read the configuration `{shown}`"), "`--config FILE` names a TOML file")
            .because(error)
    })?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        Hint::new(format!("understand the configuration `{shown}`: {}", error.message()), "it is a TOML file")
    })?;
    let mut flat = BTreeMap::new();
    for (section, values) in table {
        let toml::Value::Table(values) = values else {
            flat.insert(section, values.to_string());
            continue;
        };
        for (name, value) in values {
            let value = match value {
                toml::Value::String(text) => text,
                other => other.to_string(),
            };
            flat.insert(format!("{section}.{name}"), value);
        }
    }
    Ok(flat)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cellblock.toml");
        std::fs::write(&path, text).unwrap();
        (directory, path)
    }

    #[test]
    fn the_nearest_to_the_person_wins() {
        let (_kept, path) =
            file("[limits]\ncpus = 3\nprocesses = 100\nmemory_mib = 64\n[server]\nlisten = \"[::1]:1\"\n");
        let environment = |name: &str| match name {
            "CELLBLOCK_LIMITS_PROCESSES" => Some("200".to_owned()),
            "CELLBLOCK_LIMITS_MEMORY_MIB" => Some(String::new()),
            "CELLBLOCK_SERVER_LISTEN" => Some("127.0.0.1:2".to_owned()),
            _ => None,
        };
        let options =
            [("server.listen", "--listen", Some("127.0.0.1:3".to_owned())), ("server.env", "--env", None)];
        let config = Config::load(Some(&path), environment, &options).unwrap();
        assert_eq!(config.text("server.listen"), Some("127.0.0.1:3"));
        assert_eq!(config.number("limits.processes"), Some(200));
        assert_eq!(config.number("limits.memory_mib"), Some(64));
        assert_eq!(config.number("limits.cpus"), Some(3));
        assert_eq!(config.text("server.env"), Some("full"));
        assert_eq!(config.number("limits.total_memory_mib"), None);
        let shown = config.show();
        assert!(shown.contains("listen = \"127.0.0.1:3\"  # --listen\n"), "{shown}");
        assert!(shown.contains("processes = 200  # CELLBLOCK_LIMITS_PROCESSES\n"), "{shown}");
        // What is shown is a configuration.
        let (_kept, again) = file(&shown);
        assert_eq!(Config::load(Some(&again), |_| None, &[]).unwrap().number("limits.cpus"), Some(3));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, says) in [
            ("[limits]\ncpu = 3", "`limits.cpu`"),
            ("[limits]\ncpus = 0", "`limits.cpus`"),
            ("[limits]\ncpus = \"many\"", "`many`"),
            ("limits = 3", "`limits`"),
            ("[limits", "understand"),
        ] {
            let (_kept, path) = file(text);
            let error = Config::load(Some(&path), |_| None, &[]).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
        let wrong = Config::load(None, |name| (name == "CELLBLOCK_LIMITS_CPUS").then(|| "x".to_owned()), &[]);
        assert!(wrong.unwrap_err().to_string().contains("(CELLBLOCK_LIMITS_CPUS)"));
        assert!(Config::load(Some(Path::new("/nowhere.toml")), |_| None, &[]).is_err());
    }
}
