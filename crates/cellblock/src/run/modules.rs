//! Which files an import in JavaScript or TypeScript could mean.
//!
//! Node, Deno and TypeScript resolve differently: a name without an ending is several files to `require`, none to
//! `import`, and declarations to TypeScript; `./lib.js` is `lib.ts` where only that is there. Who will ask is not known
//! here, so all files come that one of them would take, of the first form that has any. Nothing is opened here.

use std::path::{Component, Path, PathBuf};

/// Endings that an import may leave out.
const ENDINGS: &[&str] = &["js", "mjs", "cjs", "json", "ts", "mts", "cts", "d.ts"];

/// Whether a file of this name is a module with code in it.
pub(crate) fn is_script(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    matches!(extension, "js" | "mjs" | "cjs" | "ts" | "mts" | "cts")
}

/// Whether an import names a file by a path from the one that it stands in.
pub(crate) fn is_relative(specifier: &str) -> bool {
    matches!(specifier, "." | "..") || specifier.starts_with("./") || specifier.starts_with("../")
}

/// What a relative path leads to from this directory; both seen from the program's own directory, which it does not
/// leave: then there is none.
pub(crate) fn join(inner: &Path, relative: &str) -> Option<PathBuf> {
    let mut joined = inner.to_owned();
    for part in Path::new(relative).components() {
        match part {
            Component::Normal(part) => joined.push(part),
            Component::CurDir => {}
            Component::ParentDir => joined.pop().then_some(())?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(joined)
}

/// The files that an import of this path could mean: forms, of which the first counts that has a file.
pub(crate) fn forms(path: &Path) -> Vec<Vec<PathBuf>> {
    let mut forms = Vec::new();
    if !path.as_os_str().is_empty() {
        forms.push(vec![path.to_owned()]);
        let typed: &[&str] = match path.extension().and_then(|extension| extension.to_str()) {
            Some("js") => &["ts", "d.ts"],
            Some("mjs") => &["mts", "d.mts"],
            Some("cjs") => &["cts", "d.cts"],
            _ => &[],
        };
        let typed: Vec<_> = typed.iter().map(|ending| path.with_extension(ending)).collect();
        // What lies beside it and declares its types comes with it.
        forms[0].extend(typed.iter().skip(1).cloned());
        forms.push(typed);
        forms.push(ENDINGS.iter().map(|ending| with(path, ending)).collect());
    }
    forms.push(ENDINGS.iter().map(|ending| path.join(format!("index.{ending}"))).collect());
    forms
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// What the `package.json` of a directory says that an import of the directory means.
pub(crate) fn mains(package: &str) -> Vec<String> {
    let told: serde_json::Value = serde_json::from_str(package).unwrap_or_default();
    let keys = ["main", "module", "types"].iter();
    keys.filter_map(|key| told[key].as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leaves_the_programs_directory() {
        let join = |inner: &str, path: &str| join(Path::new(inner), path);
        for (inner, path, expected) in [
            ("", "./a", "a"),
            ("lib", "../a.js", "a.js"),
            ("lib/deep", "../../lib/x/../y", "lib/y"),
            ("lib", ".", "lib"),
            ("lib", "..", ""),
        ] {
            assert_eq!(join(inner, path), Some(PathBuf::from(expected)), "{inner} {path}");
        }
        for (inner, path) in [("", "../a"), ("lib", "../../a"), ("lib", "../../lib/a"), ("", "/a")] {
            assert_eq!(join(inner, path), None, "{inner} {path}");
        }
    }

    #[test]
    fn an_import_can_mean_what_any_of_the_three_would_take() {
        let means = |path: &str, file: &str| {
            forms(Path::new(path)).iter().any(|form| form.contains(&PathBuf::from(file)))
        };
        for (path, file) in [
            ("lib.js", "lib.js"),
            ("lib.js", "lib.d.ts"),
            ("lib.js", "lib.ts"),
            ("lib.mjs", "lib.mts"),
            ("lib", "lib.ts"),
            ("lib", "lib.json"),
            ("lib.min", "lib.min.js"),
            ("lib", "lib/index.js"),
            ("", "index.ts"),
        ] {
            assert!(means(path, file), "{path} {file}");
        }
        assert!(!means("lib.ts", "lib.js") && !means("", ".js"));
        assert_eq!(mains(r#"{"main":"./out.js","types":"t.d.ts","x":1}"#), ["./out.js", "t.d.ts"]);
        assert!(mains("[").is_empty() && mains("3").is_empty());
    }
}
