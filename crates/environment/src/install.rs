//! How an environment is made. Every step works on a staged directory; only the last gives it the name that it is found by.

use std::path::Path;

use crate::ROOT;
use crate::error::{Error, Result};
use crate::fetch::Uv;
use crate::files;
use crate::finish::{self, Staged};
use crate::index::Index;
use crate::lock;
use crate::manifest::{Installed, Manifest};
use crate::place::{Place, Staging};
use crate::progress::{Progress, Stage};
use crate::recipe::Recipe;
use crate::{base, compile, javascript, python, uv};

/// Installs `recipe` into `dir`, unless somebody else does so meanwhile.
pub(crate) fn install(recipe: &Recipe, dir: &Path, progress: &mut dyn Progress) -> Result<Installed> {
    let place = Place::lock(dir, progress)?;
    let name = directory(recipe);
    if let Some(found) = Manifest::read(&place.path().join(&name)).unwrap_or(None) {
        return Ok(found.installed(place.path().join(name)));
    }
    place.sweep()?;
    let staging = place.stage()?;
    let made = make(recipe, &place, &staging, progress);
    if let Err(Error::DiskFull { .. }) = made {
        // A full disk is everybody's trouble; what was fetched can be fetched again.
        files::remove(&place.cache())?;
    }
    let manifest = made?;
    progress.stage(Stage::Storing);
    let root = staging.publish(&name)?;
    files::remove(&place.cache())?;
    Ok(manifest.installed(root))
}

/// The name of the directory that holds `recipe`'s environment.
pub(crate) fn directory(recipe: &Recipe) -> String {
    format!("{}-{}", recipe.name, recipe.id())
}

fn make(
    recipe: &Recipe,
    place: &Place,
    staging: &Staging<'_>,
    progress: &mut dyn Progress,
) -> Result<Manifest> {
    progress.stage(Stage::Python);
    let python = python::find()?;
    let packages = lock::packages(recipe.requirements, recipe.wheels, python.minor, std::env::consts::ARCH)?;
    let (need, free) = (recipe.disk_bytes, place.free()?);
    if free < need {
        return Err(Error::DiskFull { path: place.path().to_owned(), need, free });
    }

    progress.stage(Stage::Installer);
    let index = Index::of_pip(&python)?;
    let program = uv::get(&python, &index, place)?;

    progress.stage(Stage::Interpreter);
    let root = &staging.root;
    base::build(&python, root, root)?;

    progress.stage(Stage::Fetching);
    let uv = Uv { place, program, index: index.clone(), python: root.join("bin/python") };
    uv.fetch(&packages, &staging.scratch.join("fetched"), progress)?;

    progress.stage(Stage::Installing);
    let requirements = staging.scratch.join("requirements.txt");
    let wanted: String = packages.iter().map(|package| package.requirement.as_str()).collect();
    files::write(&requirements, wanted)?;
    staging.begin_storing();
    uv.lay_out(&requirements)?;
    let staged = Staged { staging, python: &python };
    staged.place_programs()?;

    progress.stage(Stage::Libraries);
    javascript::install(place, staging, &index)?;
    staged.write_deno_types()?;

    progress.stage(Stage::Compiling);
    compile::compile(staging, &python.name(), Path::new(ROOT), progress)?;

    progress.stage(Stage::Checking);
    staged.list_fonts()?;
    // Up to here it ran where it was staged; from here on it runs in a cell.
    let mut manifest = Manifest::new(recipe.name, recipe.id(), &python.version);
    manifest.programs = staged.run_programs(recipe)?;
    manifest.packages = finish::installed_packages(root, &python)?;
    manifest.javascript = javascript::installed(&root.join(javascript::LIBRARIES))?;
    base::configure(&python, root, Path::new(ROOT))?;
    staged.check_tree()?;
    manifest.size = files::publish_modes(root)?;
    manifest.write(root)?;
    files::publish_modes(root)?;
    Ok(manifest)
}
