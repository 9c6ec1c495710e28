use super::*;

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn found(source: &str, directory: &tempfile::TempDir) -> Vec<String> {
    let directory = Directory::open(directory.path().to_owned()).unwrap();
    let needed = needed(source, Language::Python, &directory);
    needed.files.into_iter().map(|path| path.display().to_string()).collect()
}

#[test]
fn files_that_the_program_names_are_found() {
    let directory =
        tree(&[("sales.csv", ""), ("data/more.csv", ""), ("other.csv", ""), ("sub/x", ""), (".env", "")]);
    let source =
        "a = read('sales.csv')\nb = read(\"./data/more.csv\", sep=',')\nc = 'missing.csv'\nd = 'sub'\n";
    assert_eq!(found(source, &directory), ["data/more.csv", "sales.csv"]);
    assert_eq!(found("# it's here: 'other.csv'", &directory), ["other.csv"]);
    assert!(
        found("read('*.csv'); read('/etc/passwd'); read('data/../../x'); read(sales.csv)", &directory)
            .is_empty()
    );
}

#[test]
fn nothing_from_outside_the_programs_directory_is_brought() {
    let directory = tree(&[("inner/program.py", ""), ("secret", "")]);
    let inner = directory.path().join("inner");
    let absolute = directory.path().join("secret").display().to_string();
    let inner = Directory::open(inner).unwrap();
    let source = format!("open('../secret'); open('{absolute}')");
    assert!(needed(&source, Language::Python, &inner).files.is_empty());
}

#[test]
fn no_link_is_followed_and_nothing_hidden_comes() {
    let directory = tree(&[
        ("p/main.py", ""),
        ("p/.env", ""),
        ("p/.ssh/id", ""),
        ("p/sub/real", ""),
        ("out/cfg", ""),
        ("out/pack/__init__.py", ""),
    ]);
    let at = |name: &str| directory.path().join("p").join(name);
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, at(name)).unwrap();
    link("/etc/passwd", "sub/cfg.txt");
    link("../out", "dir");
    link(".env", "inside");
    link("../out/pack", "pack");
    link("../out/pack/__init__.py", "module.py");
    let source = "import pack, module\nfor x in ('sub/cfg.txt', 'dir/cfg', 'inside', '.env', '.ssh/id', \
                  'sub/real', 'dir', '.ssh', '.none'): open(x)";
    let needed = needed(source, Language::Python, &Directory::open(at("")).unwrap());
    assert_eq!(needed.files.into_iter().collect::<Vec<_>>(), [PathBuf::from("sub/real")]);
    let left: Vec<_> = needed.left_out.iter().map(|(path, why)| (path.to_str().unwrap(), *why)).collect();
    assert_eq!(
        left,
        [
            (".env", Why::Hidden),
            (".ssh/id", Why::Hidden),
            ("dir/cfg", Why::Link),
            ("inside", Why::Link),
            ("module.py", Why::Link),
            ("pack/__init__.py", Why::Link),
            ("sub/cfg.txt", Why::Link),
        ]
    );
}

#[test]
fn of_a_home_only_modules_come() {
    let directory = tree(&[("tool.py", ""), ("taxes.pdf", ""), ("helpers.py", "open('taxes.pdf')")]);
    let open = Directory::open(directory.path().to_owned()).unwrap();
    let home = Directory { wide: true, ..open };
    let needed = needed("import helpers\nopen('taxes.pdf')", Language::Python, &home);
    assert_eq!(needed.files.into_iter().collect::<Vec<_>>(), [PathBuf::from("helpers.py")]);
    assert_eq!(needed.left_out, BTreeMap::from([("taxes.pdf".into(), Why::Home)]));
    assert!(Directory::open("/".into()).unwrap().wide);
}

#[test]
fn patterns_that_something_matches_are_noticed() {
    let directory = tree(&[("data/a.csv", ""), ("b.txt", ""), (".git/x.py", "")]);
    let matched = |text: &str| matches(text, directory.path());
    assert!(matched("data/*.csv") && matched("*.txt") && matched("./data/a*.csv") && matched("data/**/*.x"));
    for none in ["data/*.json", "*** done ***", "*", "3*4", "*. and so on", "../*.txt", "/*.txt", ".git/*.py"]
    {
        assert!(!matched(none), "{none}");
    }
}

#[test]
fn modules_beside_the_program_come_with_what_they_need() {
    let directory = tree(&[
        ("helpers.py", "import deeper\nopen('table.txt')"),
        ("deeper.py", "import helpers"),
        ("table.txt", ""),
        ("package/__init__.py", ""),
        ("package/inner/part.py", ""),
        ("package/data.bin", ""),
        ("unused.py", ""),
    ]);
    let source = "import os, helpers\nfrom package.inner import part\n";
    let expected = ["deeper.py", "helpers.py", "package/__init__.py", "package/inner/part.py", "table.txt"];
    assert_eq!(found(source, &directory), expected);
}

fn scripts(source: &str, directory: &tempfile::TempDir) -> Needed {
    let directory = Directory::open(directory.path().to_owned()).unwrap();
    needed(source, Language::Node(session::Dialect::TypeScript), &directory)
}

fn names(needed: &Needed) -> Vec<&str> {
    needed.files.iter().map(|path| path.to_str().unwrap()).collect()
}

#[test]
fn modules_in_javascript_come_with_what_they_import() {
    let directory = tree(&[
        ("lib/a.js", "import { b } from '../b'; export * from './deep'; fetch('./no.js')"),
        ("lib/a.d.ts", ""),
        ("b.ts", "import type { T } from './types.js'; require('./table.json')"),
        ("types.ts", ""),
        ("table.json", "{}"),
        ("lib/deep/index.mjs", "new URL('./words.txt', import.meta.url); open('root.txt')"),
        ("lib/deep/words.txt", ""),
        ("root.txt", ""),
        ("pack/package.json", r#"{"main":"./out/main","types":"t.d.ts"}"#),
        ("pack/out/main.cjs", "import('lodash/fp'); require('@a/b'); import 'node:fs'; import 'fs'"),
        ("pack/t.d.ts", ""),
        ("package.json", r#"{"type":"module"}"#),
        ("lib/package.json", "{}"),
        ("unused.js", ""),
        ("node_modules/lodash/index.js", ""),
    ]);
    let source = "import './lib/a.js'\nawait import(`./pack`)\nnew Worker('./worker.js')";
    let needed = scripts(source, &directory);
    let expected = [
        "b.ts",
        "lib/a.d.ts",
        "lib/a.js",
        "lib/deep/index.mjs",
        "lib/deep/words.txt",
        "lib/package.json",
        "pack/out/main.cjs",
        "pack/package.json",
        "pack/t.d.ts",
        "package.json",
        "root.txt",
        "table.json",
        "types.ts",
    ];
    assert_eq!(names(&needed), expected);
    assert_eq!(needed.packages.into_iter().collect::<Vec<_>>(), ["@a/b", "lodash"]);
    assert!(needed.outside.is_empty() && needed.left_out.is_empty());
}

#[test]
fn imports_leave_the_directory_neither_by_paths_nor_by_links() {
    let directory = tree(&[
        ("p/real.js", "import '../secret.js'; import './../../p/real.js'"),
        ("p/.hidden.js", ""),
        ("secret.js", ""),
    ]);
    let at = |name: &str| directory.path().join("p").join(name);
    std::os::unix::fs::symlink("../secret.js", at("link.js")).unwrap();
    std::os::unix::fs::symlink("..", at("up")).unwrap();
    let source = "import './real'; import './link'; import './up/secret.js'; import './.hidden.js'; \
                  import '../secret'; import './x.js?v=1'";
    let inner = Directory::open(at("")).unwrap();
    let needed = needed(source, Language::Deno(session::Dialect::JavaScript), &inner);
    assert_eq!(names(&needed), ["real.js"]);
    let left: Vec<_> = needed.left_out.iter().map(|(path, why)| (path.to_str().unwrap(), *why)).collect();
    assert_eq!(left, [(".hidden.js", Why::Hidden), ("link.js", Why::Link), ("up/secret.js", Why::Link)]);
    let outside: Vec<_> = needed.outside.into_iter().collect();
    assert_eq!(outside, ["../secret", "../secret.js", "./../../p/real.js"]);
}

#[test]
fn of_a_home_no_data_comes_as_a_module() {
    let directory = tree(&[
        ("lib.js", "import './taxes.json'"),
        ("taxes.json", ""),
        ("package.json", ""),
        ("key.pem", ""),
    ]);
    let open = Directory::open(directory.path().to_owned()).unwrap();
    let home = Directory { wide: true, ..open };
    let source = "import './lib.js'; import('./key.pem')";
    let needed = needed(source, Language::Node(session::Dialect::JavaScript), &home);
    assert_eq!(names(&needed), ["lib.js"]);
    let left = BTreeMap::from([("key.pem".into(), Why::Home), ("taxes.json".into(), Why::Home)]);
    assert_eq!(needed.left_out, left);
}

#[test]
fn each_file_is_looked_through_in_its_own_language() {
    let directory = tree(&[
        ("helper.py", "import deeper"),
        ("deeper.py", "require(\"./no\")"),
        ("tool.js", "require('./part')"),
        ("part.js", ""),
        ("no.js", ""),
    ]);
    let needed = scripts("spawn('python', ['helper.py'])", &directory);
    assert_eq!(names(&needed), ["deeper.py", "helper.py"]);
    assert_eq!(found("run(['node', 'tool.js'])", &directory), ["part.js", "tool.js"]);
}
