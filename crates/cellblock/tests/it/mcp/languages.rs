//! JavaScript and TypeScript for agents: what comes back, and what helps after mistakes.

use serde_json::{Value, json};

use super::{Agent, failed, text};
use crate::bench::Bench;

fn run(agent: &mut Agent, language: &str, code: &str) -> Value {
    agent.tool("execute_code", &json!({ "code": code, "language": language }))
}

#[test]
fn languages_are_named_and_share_what_they_share() {
    let Some(bench) = Bench::new() else { return };
    let mut agent = Agent::lean(&bench);
    let made = run(&mut agent, "javascript", "const rows = [1, 2];\nrows.length");
    assert_eq!((text(&made), &made["structuredContent"]["language"]), ("2", &json!("javascript")));
    let typed = run(&mut agent, "typescript", "const more: number[] = [...rows, 3];\nmore");
    assert_eq!(text(&typed), "[ 1, 2, 3 ]", "{typed}");
    assert_eq!(typed["structuredContent"]["language"], "typescript");
    assert_eq!(agent.code("1")["structuredContent"]["language"], "python");
    failed(&agent.code("rows"), &["NameError"]);
    let shown = run(&mut agent, "javascript", "display.table([{ a: 1, b: 'x' }])");
    assert_eq!(shown["structuredContent"]["tables"][0]["data"], json!([{ "a": 1, "b": "x" }]), "{shown}");
}

#[test]
fn mistakes_of_javascript_are_answered_with_what_helps() {
    let Some(bench) = Bench::new() else { return };
    let mut agent = Agent::lean(&bench);
    agent.code("open('chart.txt', 'w').write('x')");
    for (language, code, says) in [
        ("javascript", "rows.length", &["ReferenceError", "has just been started", "Python's variables"][..]),
        ("javascript", "fs.readFileSync('Chart.txt')", &["ENOENT", "Is `chart.txt` meant?"]),
        ("javascript", "require('./chrt.txt')", &["`./chrt.txt` is not there", "Is `chart.txt` meant?"]),
        ("javascript", "require('left-pad')", &["`left-pad` is not installed", "no network", "lodash"]),
        ("javascript", "import pad from 'left-pad'", &["`left-pad` is not installed"]),
        ("javascript", "1\nnpm install x", &["a shell command, not JavaScript"]),
        ("javascript", "ls -la", &["execute_command with command=\"ls -la\""]),
        ("javascript", "import pandas as pd\npd.DataFrame()", &["That is Python", "language=\"python\""]),
        ("javascript", "print('a')", &["That is Python"]),
        ("javascript", "const n: number = 1", &["language=\"typescript\""]),
        ("javascript", "return 5", &["leave `return` out"]),
        ("javascript", "prompt('name')", &["Nobody can type"]),
        ("javascript", "await fetch('http://example.org')", &["no network"]),
        ("typescript", "const n: number = 'a'", &["TS2322", "Nothing has run", "language=\"javascript\""]),
        ("typescript", "import pad from 'left-pad'", &["Nothing has run", "`left-pad` is not installed"]),
        ("typescript", "def f(x):\n  return x", &["That is Python, not TypeScript"]),
        ("typescript", "ls -la", &["a shell command, not TypeScript"]),
        ("python", "const x = 1;", &["That is JavaScript, not Python", "language=\"javascript\""]),
        ("python", "console.log(1)", &["That is JavaScript"]),
        ("python", "interface A { b: string }", &["language=\"typescript\""]),
        ("python", "import sklearn", &["`cellblock env install full`"]),
        ("javascript", "process.exit(3)", &["status 3", "Variables are gone", "`process.exit()`"]),
    ] {
        let told = run(&mut agent, language, code);
        failed(&told, says);
        let hint = told["structuredContent"]["try"].as_str().unwrap_or_default();
        assert!(text(&told).ends_with(hint) && !hint.is_empty(), "{told}");
    }
    let wrong = run(&mut agent, "javascript", "({}).a.b");
    assert!(wrong["structuredContent"].get("try").is_none(), "{wrong}");
}
