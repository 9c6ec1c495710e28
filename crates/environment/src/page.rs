//! The page that lists libraries, `docs/libraries.md`, made of what the environments are made of.

use std::fmt::Write as _;
use std::path::Path;

use crate::javascript;
use crate::recipe::Recipe;

/// What stands above and below the lists.
const HEAD: &str = "\
# Libraries

This page is made from the locks in `crates/environment/lock`; a test keeps it true. `cellblock env show NAME` tells the
same of what is installed, with everything that libraries need in turn.

Libraries have licences of their own, and are installed, not shipped: among them are the GPL (igraph, mutagen; the
programs pandoc and ffmpeg), the LGPL (fpdf2, psycopg2, pyxlsb, svglib) and NVIDIA's (CUDA, which torch cannot be
imported without).
";

/// Titles and libraries of a list of requirements: a comment without a full stop is a title.
fn sections(list: &str) -> Vec<(String, Vec<&str>)> {
    let mut sections: Vec<(String, Vec<&str>)> = Vec::new();
    for line in list.lines() {
        if let Some(title) =
            line.strip_prefix("# ").filter(|title| !title.ends_with('.') && !title.contains(':'))
        {
            sections.push((title.to_owned(), Vec::new()));
        } else if line.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            let end =
                line.find(|each: char| !each.is_ascii_alphanumeric() && each != '-').unwrap_or(line.len());
            if sections.is_empty() {
                sections.push((String::new(), Vec::new()));
            }
            sections.last_mut().expect("one was pushed").1.push(&line[..end]);
        }
    }
    sections
}

/// What stands above the list of JavaScript libraries.
const JAVASCRIPT: &str = "
## JavaScript

In every environment, for Node and Deno, with their types, and found from every directory: by `require(\"lodash\")`, by
`import _ from \"lodash\"`, and in Deno by `import _ from \"npm:lodash\"`. `deno run` in a command finds them with
`--node-modules-dir=manual`.
";

/// The JavaScript libraries that were asked for: those that programs import, and what else comes with them.
fn javascript_libraries() -> String {
    let packages = javascript::locked().unwrap();
    let wanted = javascript::wanted().unwrap();
    let told = |kind: &dyn Fn(&str) -> bool| {
        let wanted = wanted.iter().filter(|name| kind(name));
        let version = |name: &str| &packages.iter().find(|package| package.name == name).unwrap().version;
        wanted.map(|name| format!("{name} {}", version(name))).collect::<Vec<_>>().join(", ")
    };
    let types = |name: &str| name.starts_with("@types/");
    let tool = |name: &str| javascript::TOOLS.contains(&name);
    format!(
        "\n{}\n\n**Types of what brings none**: {}\n\n**Compilers, parsers**: {}\n",
        told(&|name| !types(name) && !tool(name)),
        told(&types),
        told(&tool)
    )
}

/// What a session can do about a library that it does not have, or has in another version.
const MISSING: &str = "
## Where one is missing

A session installs what it wants for itself, with pip or npm and no options: `pip install NAME`, `%pip install NAME`,
`npm install NAME`. Programs that come with a package are on the `PATH`, and the next statement
can import it. It lies in the session's own `~/.local`, counts against its disk limit and goes with it; what shall stay
belongs into a virtual environment in the workspace (`python -m venv NAME`).

Where the session reaches no index, bring the files: `pip download -d wheels NAME` on a machine with the same Python and
architecture, and in the session `pip install --no-index --find-links wheels NAME`; for npm, an archive made by `npm pack`.

Another version of what is above installs in the same way and is found first, by new interpreters and by the running one
where it has not imported the library yet; `exit()` ends the interpreter, and the next call begins with what is
installed. `pip uninstall NAME` brings the environment's own version back, which cannot be removed. Of a JavaScript library
that is above, the session's comes first for code in the workspace. In a project, which is a directory with a `package.json`
or one below it, npm installs beside that file, as anywhere.
";

fn version<'a>(recipe: &'a Recipe, library: &str) -> &'a str {
    let line = recipe.requirements.lines().find_map(|line| line.strip_prefix(library)?.strip_prefix("=="));
    line.unwrap_or_else(|| panic!("{library} is not locked")).trim_end_matches([' ', '\\'])
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let lists = [("lean", include_str!("../lock/lean.in")), ("full", include_str!("../lock/full.in"))];
    for (name, list) in lists {
        let recipe = Recipe::named(name).unwrap();
        let locked = recipe.requirements.lines().filter(|line| line.contains("==")).count();
        let _ = writeln!(page, "\n## `{name}`\n\n{}. Locked: {locked} packages.", recipe.summary);
        if name != "lean" {
            page.push_str("\nAll of the environment above, in the versions that fit, and:\n");
        }
        for (title, libraries) in sections(list) {
            let told: Vec<String> =
                libraries.iter().map(|library| format!("{library} {}", version(recipe, library))).collect();
            let title = if title.is_empty() { String::new() } else { format!("**{title}**: ") };
            let _ = writeln!(page, "\n{title}{}", told.join(", "));
        }
    }
    page.push_str(JAVASCRIPT);
    page.push_str(&javascript_libraries());
    let full = Recipe::named("full").unwrap();
    page.push_str("\n## What they want of the machine\n\nCells see the host's `/usr`: what is installed there is there at once.\n\n");
    page.push_str("| for | what | Debian, Ubuntu | Fedora |\n| --- | --- | --- | --- |\n");
    for want in full.wants {
        let libraries = want.libraries.join(", ");
        let _ = writeln!(page, "| {libraries} | {} | `{}` | `{}` |", want.what, want.debian, want.fedora);
    }
    page.push_str("\n## What does not come with them\n\n| library | what | remedy |\n| --- | --- | --- |\n");
    for absent in full.absent {
        let _ = writeln!(page, "| {} | {} | {} |", absent.library, absent.what, absent.remedy);
    }
    page.push_str("\n## What is left out\n\n");
    for line in lists[1].1.lines().filter_map(|line| line.strip_prefix("# Left out: ")) {
        match line.strip_prefix("+ ") {
            Some(more) => {
                page.pop();
                let _ = writeln!(page, " {more}");
            }
            None => {
                let _ = writeln!(page, "- {line}");
            }
        }
    }
    page.push_str(MISSING);
    page
}

#[test]
fn the_page_is_that_of_the_locks() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/libraries.md");
    if std::env::var_os("CELLBLOCK_UPDATE_DOCS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page(), "renew docs/libraries.md: run this test with CELLBLOCK_UPDATE_DOCS=1");
}
