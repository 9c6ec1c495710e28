//! Programs in JavaScript and TypeScript.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::bench::{Bench, Ended};

/// Runs a program of this name.
fn script(bench: &Bench, name: &str, source: &str, options: &[&str]) -> Ended {
    bench.write(name, source);
    bench.cellblock(["run"].iter().chain(options).chain(&[name]))
}

fn piped(bench: &Bench, source: &str, arguments: &[&str]) -> Ended {
    let mut child = bench.command(["run"].iter().chain(arguments)).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    Ended::from(child.wait_with_output().unwrap())
}

#[test]
fn the_files_name_tells_the_language() {
    let Some(bench) = Bench::new() else { return };
    for name in ["a.js", "a.mjs", "a.cjs"] {
        let ended = script(&bench, name, "console.log(6 * 7); console.error('err')", &[]);
        assert_eq!(
            (ended.status, ended.stdout.as_str(), ended.stderr.as_str()),
            (Some(0), "42\n", "err\n"),
            "{name}"
        );
    }
    for name in ["a.ts", "a.mts", "a.cts"] {
        let ended = script(&bench, name, "const x: number = 42;\nconsole.log(x satisfies number)", &[]);
        assert_eq!((ended.status, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "42\n", ""));
    }
    let ended = script(&bench, "tool", "#!/usr/bin/env node\nconsole.log(process.argv.length)", &[]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "2\n"), "{ended:?}");
    bench.assert_nothing_left();
}

#[test]
fn the_command_line_names_another_language() {
    let Some(bench) = Bench::new() else { return };
    let ended = script(&bench, "a.py", "console.log(typeof 1)", &["--language", "javascript"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "number\n"), "{ended:?}");
    let ended = piped(&bench, "console.log(process.argv.slice(1))", &["--language", "javascript", "-", "x"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "[ '-', 'x' ]\n"), "{ended:?}");
    let ended =
        piped(&bench, "enum E { A = 7 }\nconsole.log(E.A as number)", &["--language", "typescript", "-"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "7\n"), "{ended:?}");
    let ended = bench.python("1", &["--runtime", "deno"]);
    assert_eq!(ended.status, Some(125), "{ended:?}");
    let ended = bench.cellblock(["run", "--runtime", "deno", "program.py"]);
    assert_eq!(
        (ended.status, ended.stderr.as_str()),
        (
            Some(125),
            "error: failed to choose a runtime for Python: there is one alone\n\
             hint: leave `--runtime` out, or name `--language javascript` or `--language typescript`\n"
        )
    );
}

#[test]
fn the_end_is_as_a_programs_in_python() {
    let Some(bench) = Bench::new() else { return };
    for (source, status, stdout) in [
        ("process.exit(3)", 3, ""),
        ("process.exitCode = 4", 4, ""),
        ("setTimeout(() => console.log('later'), 50); console.log('now')", 0, "now\nlater\n"),
        ("process.on('exit', () => console.log('last')); setTimeout(() => process.exit(5), 20)", 5, "last\n"),
        ("Promise.reject(new Error('nobody waits'))", 1, ""),
        ("setTimeout(() => { throw new Error('late') }, 10)", 1, ""),
        ("process.kill(process.pid, 'SIGSEGV')", 139, ""),
    ] {
        let ended = script(&bench, "a.js", source, &[]);
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(status), stdout), "{source}: {ended:?}");
    }
    let ended = script(&bench, "a.js", "function f(x) {\n  return x.y;\n}\nf(null);\n", &[]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.contains("TypeError: Cannot read properties of null (reading 'y')\n"), "{ended:?}");
    assert!(ended.stderr.contains("at f (a.js:2:12)\n") && ended.stderr.contains("a.js:4:1"), "{ended:?}");
    assert!(!ended.stderr.contains("cellblock_kernel"), "{ended:?}");
    let ended = script(&bench, "a.js", "for (;;) {}", &["--timeout", "0.5"]);
    assert_eq!(ended.status, Some(124), "{ended:?}");
    bench.assert_nothing_left();
}

#[test]
fn type_errors_stop_a_program_unless_they_are_warnings() {
    let Some(bench) = Bench::new() else { return };
    let source = "const ok = 1;\nconst x: number = 'a';\nconsole.log('ran', x, ok);\n";
    let ended = script(&bench, "a.ts", source, &[]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    let error = "a.ts:2:7 - error TS2322: Type 'string' is not assignable to type 'number'.";
    assert!(ended.stderr.contains(error), "{ended:?}");
    assert!(ended.stderr.contains("\nhint: `--type-errors warn` tells them, and runs it"), "{ended:?}");
    let warned = script(&bench, "a.ts", source, &["--type-errors", "warn"]);
    assert_eq!((warned.status, warned.stdout.as_str()), (Some(0), "ran a 1\n"), "{warned:?}");
    assert!(warned.stderr.contains(error) && !warned.stderr.contains("hint:"), "{warned:?}");
    let with = |value: &str, options: &[&str]| {
        let arguments = ["run"].iter().chain(options).chain(&["a.ts"]);
        let mut command = bench.command(arguments);
        Ended::from(command.env("CELLBLOCK_TYPESCRIPT_ERRORS", value).output().unwrap())
    };
    assert_eq!(with("warn", &[]).status, Some(0));
    assert_eq!(with("warn", &["--type-errors", "refuse"]).status, Some(1));
    let wrong = with("perhaps", &[]);
    assert_eq!(wrong.status, Some(125));
    assert!(wrong.stderr.contains("`perhaps` is no value of `typescript.errors`"), "{wrong:?}");
}

#[test]
fn deno_runs_a_program_that_asks_for_it() {
    let Some(bench) = Bench::new() else { return };
    bench.write("lib/double.js", "export const double = (x) => 2 * x;\n");
    bench.write("in.csv", "a");
    let source = "import { double } from './lib/double.js';\n\
                  console.log(double(21), Deno.readTextFileSync('in.csv'), Deno.args);\nDeno.exit(3);\n";
    bench.write("main.js", source);
    let ended = bench.cellblock(["run", "--runtime", "deno", "main.js", "x"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(3), "42 a [ \"x\" ]\n"), "{ended:?}");
    let typed = "const x: number = 'a';\nconsole.log(x);\n";
    let wrong = script(&bench, "main.ts", typed, &["--runtime", "deno"]);
    assert_eq!((wrong.status, wrong.stdout.as_str()), (Some(1), ""), "{wrong:?}");
    assert!(wrong.stderr.contains("main.ts:1:7 - error TS2322"), "{wrong:?}");
    let source = "#!/usr/bin/env -S deno run\nsetTimeout(() => { throw new Error('late') }, 10);\n\
                  console.log(Deno.version.deno.split('.').length);\n";
    let ended = script(&bench, "tool", source, &[]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(1), "3\n"), "{ended:?}");
    let options = ["--json", "--language", "javascript", "--runtime", "deno", "-"];
    let told: Value = serde_json::from_str(&piped(&bench, "throw new Error('x')", &options).stdout).unwrap();
    assert_eq!(
        (&told["runtime"], &told["outcome"], &told["status"]),
        (&"deno".into(), &"raised".into(), &1.into())
    );
    bench.assert_nothing_left();
}

#[test]
fn what_a_program_imports_comes_with_it() {
    let Some(bench) = Bench::new() else { return };
    bench.write("lib/double.js", "import { two } from '../two.js';\nexport const double = (x) => two * x;\n");
    bench.write("two.js", "export const two = 2;\n");
    bench.write("common.cjs", "module.exports = require('./table.json').rows.length;\n");
    bench.write("table.json", r#"{"rows":[1,2,3]}"#);
    bench.write("lazy/index.js", "export default 'lazy';\n");
    bench.write("package.json", r#"{"type":"module"}"#);
    bench.write("secret.js", "");
    let source = "
import { double } from './lib/double.js';
import table from './table.json' with { type: 'json' };
import fs from 'node:fs';
const { default: lazy } = await import('./lazy/index.js');
console.log(double(21), table.rows[0], require('./common.cjs'), lazy, fs.readFileSync('in.csv', 'utf8'));
fs.writeFileSync('out.csv', 'b');
console.log(fs.readdirSync('.').sort().join(' '));
";
    bench.write("in.csv", "a");
    let ended = script(&bench, "main.js", source, &[]);
    assert_eq!(
        (ended.status, ended.stdout.as_str()),
        (
            Some(0),
            "42 1 3 lazy a\ncommon.cjs in.csv lazy lib main.js out.csv package.json table.json two.js\n"
        ),
        "{ended:?}"
    );
    insta::assert_snapshot!(ended.stderr, @r"
    brought into the cell: common.cjs, in.csv, lazy/index.js, lib/double.js, package.json, table.json, two.js
    saved in cellblock-out:
      out.csv  1 B
    ");
}

#[test]
fn typescript_imports_its_own_modules() {
    let Some(bench) = Bench::new() else { return };
    bench.write(
        "people.ts",
        "export interface Person { name: string }\nexport const greet = (p: Person) => `Hi ${p.name}`;\n",
    );
    let source = "import { greet, type Person } from './people.ts';\n\
                  const ann: Person = { name: 'Ann' };\nconsole.log(greet(ann));\n";
    let ended = script(&bench, "main.ts", source, &[]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "Hi Ann\n"), "{ended:?}");
    let wrong = script(&bench, "main.ts", &source.replace("'Ann'", "7"), &[]);
    assert_eq!((wrong.status, wrong.stdout.as_str()), (Some(1), ""), "{wrong:?}");
    assert!(wrong.stderr.contains("main.ts:2:23 - error TS2322"), "{wrong:?}");
}

#[test]
fn a_program_imports_nothing_from_beyond_its_directory() {
    let Some(bench) = Bench::new() else { return };
    bench.write("secret.js", "export default 'SECRET';");
    bench.write("p/.env.js", "export default 'SECRET';");
    std::os::unix::fs::symlink("../secret.js", bench.at("p/link.js")).unwrap();
    let source = "
for (const name of ['../secret.js', './link.js', './.env.js']) {
  try { console.log((await import(name)).default) } catch (error) { console.log(error.code) }
}
if (0) { import('../secret.js'); import('./link.js'); import('./.env.js') }
";
    let ended = script(&bench, "p/main.mjs", source, &[]);
    let none = "ERR_MODULE_NOT_FOUND\n".repeat(3);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), none.as_str()), "{ended:?}");
    insta::assert_snapshot!(ended.stderr, @r"
    warning: the program names what is not brought into the cell:
      .env.js (hidden)
      link.js (reached through a link)
    hint: what the program may have, bring with `--file PATH`
    warning: the program imports what lies outside its own directory and is not brought: `../secret.js`
    hint: put the program into the directory that holds both, or beside what it imports
    ");
}

#[test]
fn libraries_are_the_environments_and_others_are_told() {
    let Some(bench) = Bench::new() else { return };
    let source = "import _ from 'lodash';\nimport { z } from 'zod';\n\
                  console.log(_.sum([1, 2]), z.number().parse(4), require('uuid').validate('x'));\n\
                  try { await import('left-pad') } catch { console.log('none') }\n";
    let ended = script(&bench, "a.mjs", source, &["--json"]);
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(told["stdout"], "3 4 false\nnone\n", "{told}");
    assert_eq!((&told["language"], &told["runtime"]), (&"javascript".into(), &"nodejs".into()));
    assert_eq!((&told["environment"]["name"], &told["status"]), (&"lean".into(), &0.into()));
    assert_eq!(
        ended.stderr,
        "warning: no environment has the JavaScript library: `left-pad`\n\
         hint: a program may install what its network lets in, before it imports it: `npm install left-pad`\n"
    );
    bench.write("node_modules/left-pad/index.js", "module.exports = () => 'own';");
    let ended = script(&bench, "a.mjs", "import pad from 'left-pad'; console.log(pad())", &[]);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(
        ended.stderr.starts_with(
            "warning: `node_modules` is not brought into the cell, and the program imports from it: `left-pad`\n\
             hint: `--file node_modules` brings it\n"
        ),
        "{ended:?}"
    );
    let ended = bench.cellblock(["run", "--file", "node_modules", "a.mjs"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "own\n"), "{ended:?}");
    assert!(!ended.stderr.contains("warning"), "{ended:?}");
}

#[test]
fn a_file_that_was_not_brought_is_pointed_to() {
    let Some(bench) = Bench::new() else { return };
    bench.write("data/a.csv", "1");
    bench.write("late.js", "");
    for (source, wanted) in [
        ("require('fs').readFileSync('data/' + 'a.csv')", "data"),
        ("await import('./la' + 'te.js')", "late.js"),
    ] {
        let ended = script(&bench, "a.js", source, &[]);
        assert_eq!(ended.status, Some(1), "{ended:?}");
        let hint = format!("was not brought into the cell: add `--file {wanted}`\n");
        assert!(ended.stderr.ends_with(&hint), "{ended:?}");
    }
}
