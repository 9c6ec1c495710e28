//! `cellblock env`.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context;
use environment::{Absent, Environments, Installed, Recipe, Want};
use serde::Serialize;

use crate::cli::Env;
use crate::place::{Places, told};
use crate::printer::{Printer, bytes, wrapped};
use crate::progress;

/// Does what `cellblock env …` asks.
pub(crate) fn env(command: &Env, places: &Places, printer: Printer) -> anyhow::Result<u8> {
    let environments = Environments::new(&places.environments);
    let text = match command {
        Env::List(options) => list(&environments, options.json)?,
        Env::Install(options) => {
            let installed = install(&environments, &options.name, printer)?;
            if options.json {
                json(&Found::from(installed))?
            } else {
                printer.note(format_args!("`{}` is in {}", installed.name, told(&installed.root)));
                String::new()
            }
        }
        Env::Show(options) => show(&environments, &options.name, options.json)?,
    };
    std::io::stdout().write_all(text.as_bytes()).context("write to standard output")?;
    Ok(0)
}

/// The environment of this name, installed now if it is not there.
pub(crate) fn install(
    environments: &Environments,
    name: &str,
    printer: Printer,
) -> Result<Installed, environment::Error> {
    if let Ok(Some(installed)) = environments.find(name) {
        return Ok(installed);
    }
    let fetched = bytes(Recipe::named(name)?.fetched_bytes());
    printer.plain(format_args!(
        "installing the environment `{name}` (once; it needs the network, {fetched} to fetch)"
    ));
    let started = std::time::Instant::now();
    let installed = {
        let mut progress = progress::of_install(printer);
        environments.install(name, progress.as_mut())?
    };
    printer.plain(format_args!("installed `{name}` in {:.0} s", started.elapsed().as_secs_f64()));
    Ok(installed)
}

#[derive(Serialize)]
struct Listed {
    name: String,
    summary: String,
    fetched_bytes: u64,
    installed: bool,
    path: Option<String>,
    python: Option<String>,
}

fn list(environments: &Environments, as_json: bool) -> anyhow::Result<String> {
    let listed: Vec<Listed> = environments
        .list()?
        .into_iter()
        .map(|status| Listed {
            name: status.recipe.name.to_owned(),
            summary: status.recipe.summary.to_owned(),
            fetched_bytes: status.recipe.fetched_bytes(),
            installed: status.installed.is_some(),
            path: status.installed.as_ref().map(|installed| installed.root.display().to_string()),
            python: status.installed.map(|installed| installed.python),
        })
        .collect();
    if as_json {
        return json(&listed);
    }
    let mut text = String::new();
    for each in listed {
        let state = match &each.python {
            Some(python) => format!("installed, Python {python}"),
            None => format!("not installed: `cellblock env install {}`", each.name),
        };
        let name = format!("{:5} ", each.name);
        let indent = " ".repeat(name.len());
        text.push_str(&wrapped(&name, &indent, &each.summary));
        text.push_str(&wrapped(&indent, &indent, &state));
    }
    Ok(text)
}

#[derive(Serialize)]
struct Found {
    name: String,
    id: String,
    path: String,
    python: String,
}

impl From<Installed> for Found {
    fn from(installed: Installed) -> Found {
        let path = installed.root.display().to_string();
        Found { name: installed.name, id: installed.id, path, python: installed.python }
    }
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    found: Found,
    size_bytes: u64,
    created: u64,
    programs: std::collections::BTreeMap<String, String>,
    packages: std::collections::BTreeMap<String, String>,
    javascript: std::collections::BTreeMap<String, String>,
    wants: Vec<Wanted>,
    not_included: Vec<NotIncluded>,
}

/// What libraries want of this machine.
#[derive(Serialize)]
pub(crate) struct Wanted {
    libraries: &'static [&'static str],
    what: &'static str,
    here: bool,
    debian: &'static str,
    fedora: &'static str,
}

impl From<&'static Want> for Wanted {
    fn from(want: &'static Want) -> Wanted {
        let Want { libraries, what, sign: _, debian, fedora } = want;
        Wanted { libraries, what, here: want.is_here(), debian, fedora }
    }
}

/// What does not come with a library.
#[derive(Serialize)]
struct NotIncluded {
    library: &'static str,
    what: &'static str,
    remedy: &'static str,
}

impl From<&'static Absent> for NotIncluded {
    fn from(absent: &'static Absent) -> NotIncluded {
        NotIncluded { library: absent.library, what: absent.what, remedy: absent.remedy }
    }
}

fn show(environments: &Environments, name: &str, as_json: bool) -> anyhow::Result<String> {
    let description = environments.describe(name)?;
    let recipe = Recipe::named(name)?;
    let wants: Vec<Wanted> = recipe.wants.iter().map(Wanted::from).collect();
    if as_json {
        return json(&Shown {
            found: Found::from(description.installed),
            size_bytes: description.size,
            created: description.created,
            programs: description.programs,
            packages: description.packages.into_iter().collect(),
            javascript: description.javascript.into_iter().collect(),
            wants,
            not_included: recipe.absent.iter().map(NotIncluded::from).collect(),
        });
    }
    let mut text = format!(
        "{} ({}), {}\n{}\n\nprograms\n",
        description.installed.name,
        description.installed.id,
        bytes(description.size),
        told(&description.installed.root)
    );
    for (name, version) in &description.programs {
        let _ = writeln!(text, "  {name} {version}");
    }
    for (title, packages) in [("Python", &description.packages), ("JavaScript", &description.javascript)] {
        let _ = writeln!(text, "\npackages of {title}");
        for (name, version) in packages {
            let _ = writeln!(text, "  {name} {version}");
        }
    }
    text.push_str(&told_wants(&wants));
    if !recipe.absent.is_empty() {
        text.push_str("\nnot included: models, corpora and services\n");
    }
    for absent in recipe.absent {
        let _ = writeln!(text, "  {}: {}\n      remedy: {}", absent.library, absent.what, absent.remedy);
    }
    Ok(text)
}

/// What libraries want of this machine, what is missing first, and the command that brings that.
fn told_wants(wants: &[Wanted]) -> String {
    let mut text = String::new();
    for (here, title) in [(false, "missing on this machine"), (true, "found on this machine")] {
        let mut listed = wants.iter().filter(|want| want.here == here).peekable();
        if listed.peek().is_some() {
            let _ = writeln!(text, "\n{title}");
        }
        for want in listed {
            let _ = writeln!(text, "  for {}: {}", want.libraries.join(", "), want.what);
            if !here {
                let _ = writeln!(text, "      package {} (Fedora: {})", want.debian, want.fedora);
            }
        }
    }
    text
}

fn json(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
