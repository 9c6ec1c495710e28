//! Which environment a program runs in.

use std::collections::BTreeSet;

use environment::{Environments, Installed};
use session::Language;

use super::program::{self, Brought, Program};
use crate::cli::Run;
use crate::environments;
use crate::place::Places;
use crate::printer::{Printer, bytes};

/// The environment that the command line names, or the smallest that has what the program imports; installed.
pub(crate) fn environment_for(
    options: &Run,
    program: &Program,
    files: &[Brought],
    places: &Places,
    printer: Printer,
) -> anyhow::Result<Installed> {
    let environments = Environments::new(&places.environments);
    // The libraries of other languages are the same in all of them.
    let mut imports = match program.language {
        Language::Python => environment::imports(&program.source),
        Language::Node(_) | Language::Deno(_) => BTreeSet::new(),
    };
    imports.retain(|module| !program::has_module(module, files));
    let (recipe, missing) = match &options.env {
        Some(name) => {
            let recipe = environment::Recipe::named(name)?;
            (recipe, recipe.missing(&imports))
        }
        None => environment::choose(&imports, |recipe| {
            recipe.installs_unasked || matches!(environments.find(recipe.name), Ok(Some(_)))
        }),
    };
    for module in &missing {
        let lacking = format!("`{module}` is not in the environment `{}`", recipe.name);
        match environment::holder(module) {
            Some(other) => printer.warning(format_args!("{lacking}, but in `{}`", other.name)),
            None => printer.warning(format_args!("{lacking}, and this version has none that it is in")),
        }
    }
    // Not an error: the program may do without.
    if let Some(other) = missing.iter().find_map(|module| environment::holder(module)) {
        match environments.find(other.name) {
            Ok(Some(_)) => printer.advice(format_args!("`--env {}` takes it", other.name)),
            _ => printer.advice(format_args!(
                "`cellblock env install {}` installs it, once: {} to fetch, {} on disk",
                other.name,
                bytes(other.fetched_bytes()),
                bytes(other.disk_bytes)
            )),
        }
    }
    Ok(environments::install(&environments, recipe.name, printer)?)
}
