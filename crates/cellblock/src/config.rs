//! The configuration: each key with its value and where that came from.
//!
//! A key is `section.name` in a TOML file and `CELLBLOCK_SECTION_NAME` in the environment; some are options of the
//! command line, too. The command line comes before the environment, that before the file, and that before the default.
//! A key that is not known is refused: a limit with a typing error would else be no limit. So is an entry of a list
//! that is none. Rejected: a library that merges sources; none that is kept up tells where a value came from.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::Path;

use crate::hints::Hint;
use crate::{network, require, store};

/// Whether a text is what a key takes; else, what that is.
type Check = fn(&str) -> Result<(), String>;

/// What a key's value is.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Number {
        min: u64,
        max: u64,
    },
    /// A text of a certain form.
    Form(Check),
    /// A list of such texts: in a file as a list, elsewhere with commas between.
    List(Check),
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

const fn form(name: &'static str, check: Check, default: Option<&'static str>, says: &'static str) -> Key {
    Key { name, kind: Kind::Form(check), default, says }
}

const fn list(name: &'static str, check: Check, says: &'static str) -> Key {
    Key { name, kind: Kind::List(check), default: Some(""), says }
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
    form("network.mode", network::is_mode, Some("none"), "the most of the network that a session may have"),
    list("network.allow", network::is_entry, "names and public addresses that are listed"),
    list("network.open_private", network::is_opened, "private addresses that are opened"),
    form("network.resolver", network::is_resolver, None, "who is asked for names"),
    number("network.connections", 1, 65_536, Some("256"), "connections of a session at the same time"),
    number(
        "network.connections_per_second",
        1,
        100_000,
        Some("100"),
        "new connections of a session in a second",
    ),
    number("network.lookups_per_second", 1, 100_000, Some("100"), "lookups of a session in a second"),
    number("network.transfer_mib", 1, 1 << 30, Some("10240"), "what a session may send and receive, MiB"),
    form("typescript.errors", is_type_errors, Some("refuse"), "TypeScript with type errors: refuse, or warn"),
    form("workspace.store", store::is_store, None, "where the files of workspaces are kept"),
    list("security.require", require::is_wall, "walls without which nothing is started"),
];

fn is_type_errors(text: &str) -> Result<(), String> {
    match text {
        "refuse" | "warn" => Ok(()),
        _ => Err("it is `refuse` or `warn`".to_owned()),
    }
}

/// A key's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Value {
    /// What a key takes that stands in one text: on the command line, in the environment, or as a default.
    fn from_text(kind: Kind, text: &str) -> Value {
        match kind {
            Kind::List(_) => {
                let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
                Value::Several(entries.map(str::to_owned).collect())
            }
            _ => Value::One(text.to_owned()),
        }
    }

    fn from_toml(value: toml::Value) -> Value {
        let text = |value: toml::Value| match value {
            toml::Value::String(text) => text,
            other => other.to_string(),
        };
        match value {
            toml::Value::Array(values) => Value::Several(values.into_iter().map(text).collect()),
            other => Value::One(text(other)),
        }
    }
}

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
pub(crate) struct Config(BTreeMap<&'static str, (Value, Origin)>);

/// What the command line says of a key: the key, the option, and the value if there is one; a list's with commas.
pub(crate) type Given = (&'static str, &'static str, Option<String>);

/// The environment variable of a key.
pub(crate) fn variable(name: &str) -> String {
    format!("CELLBLOCK_{}", name.replace('.', "_").to_uppercase())
}

impl Config {
    /// Puts together what the file, the environment and the command line say.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
        options: &[Given],
    ) -> anyhow::Result<Config> {
        let mut config = Config(BTreeMap::new());
        let mut from_file = file.map(read).transpose()?.unwrap_or_default();
        for key in KEYS {
            if let Some(default) = key.default {
                config.0.insert(key.name, (Value::from_text(key.kind, default), Origin::Default));
            }
            if let (Some(value), Some(path)) = (from_file.remove(key.name), file) {
                config.0.insert(key.name, (value, Origin::File(path.display().to_string())));
            }
            let name = variable(key.name);
            if let Some(value) = environment(&name).filter(|value| !value.is_empty()) {
                config.0.insert(key.name, (Value::from_text(key.kind, &value), Origin::Environment(name)));
            }
            let option = options.iter().find(|(name, ..)| *name == key.name);
            if let Some((_, option, Some(value))) = option {
                config.0.insert(key.name, (Value::from_text(key.kind, value), Origin::CommandLine(option)));
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
        let Some((value, origin)) = self.0.get(key.name) else { return Ok(()) };
        let refused = |value: &str, remedy: String| {
            let what =
                format!("understand the configuration: `{value}` is no value of `{}` ({origin})", key.name);
            Err(Hint::new(what, format!("{remedy}: {}", key.says)).into())
        };
        match (key.kind, value) {
            (Kind::Text, Value::One(_)) => Ok(()),
            (Kind::Number { min, max }, Value::One(text)) => match text.parse::<u64>() {
                Ok(number) if (min..=max).contains(&number) => Ok(()),
                _ => refused(text, format!("it is a whole number from {min} to {max}")),
            },
            (Kind::Form(check), Value::One(text)) => check(text).or_else(|why| refused(text, why)),
            (Kind::List(check), Value::Several(entries)) => {
                entries.iter().try_for_each(|entry| check(entry).or_else(|why| refused(entry, why)))
            }
            (Kind::List(_), Value::One(text)) => refused(text, "it is a list, `[\"…\", \"…\"]`".to_owned()),
            (_, Value::Several(entries)) => {
                refused(&format!("[{}]", entries.join(", ")), "it is no list".to_owned())
            }
        }
    }

    /// A key's value, if it has one.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match &self.0.get(name)?.0 {
            Value::One(text) => Some(text),
            Value::Several(_) => None,
        }
    }

    /// A number's value, if it has one.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// A list's entries.
    pub(crate) fn list(&self, name: &str) -> &[String] {
        match self.0.get(name) {
            Some((Value::Several(entries), _)) => entries,
            _ => &[],
        }
    }

    /// Where a key's value came from, for a sentence.
    pub(crate) fn origin(&self, name: &str) -> String {
        self.0.get(name).map(|(_, origin)| origin.to_string()).unwrap_or_default()
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
                    let quoted = |text: &String| toml::Value::String(text.clone());
                    let value = match (key.kind, value) {
                        (Kind::Number { .. }, Value::One(number)) => number.clone(),
                        (_, Value::One(text)) => quoted(text).to_string(),
                        (_, Value::Several(all)) => {
                            toml::Value::Array(all.iter().map(quoted).collect()).to_string()
                        }
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
fn read(path: &Path) -> anyhow::Result<BTreeMap<String, Value>> {
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
            flat.insert(section, Value::from_toml(values));
            continue;
        };
        for (name, value) in values {
            flat.insert(format!("{section}.{name}"), Value::from_toml(value));
        }
    }
    Ok(flat)
}

#[cfg(test)]
mod tests;
