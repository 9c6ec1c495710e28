//! The shell as people use it: in a terminal, key by key.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::bench::{Bench, Ended};
use crate::serve::Server;
use crate::terminal::Terminal;

/// Ctrl-C, Ctrl-D, the key up.
const INTERRUPT: &str = "\x03";
const END: &str = "\x04";
const UP: &str = "\x1b[A";

/// Leaves at the prompt of this number; gives what was said on the way there, and after it.
#[track_caller]
fn leave(mut terminal: Terminal, number: u64) -> (String, String) {
    let before = terminal.until(&format!("In [{number}]: "));
    terminal.keys(END);
    let (status, after) = terminal.end();
    assert_eq!(status, Some(0), "{before}{after}");
    (before, after)
}

#[test]
fn values_have_the_number_of_their_input() {
    let Some(bench) = Bench::new() else { return };
    let mut terminal = Terminal::shell(&bench, &[]);
    terminal.enter(1, "x = 41");
    terminal.enter(2, "x + 1");
    terminal.until("Out[2]: 42\n");
    terminal.enter(3, "print('ou' + 't'); import sys; print('er' + 'r', file=sys.stderr); 'a\\nb'");
    terminal.until("\nout\nerr\nOut[3]: 'a\\nb'\n");
    terminal.enter(4, "!echo from $((20 + 3)) | tr a-z A-Z");
    terminal.until("\nFROM 23\n");
    terminal.enter(5, "%who_ls int");
    terminal.until("Out[5]: ['x']\n");
    terminal.enter(6, "1 / 0");
    terminal.until("Traceback (most recent call last):\n  File \"<cell 6>\", line 1, in <module>\n");
    terminal.until("ZeroDivisionError: division by zero\n");
    leave(terminal, 7);
    bench.assert_nothing_left();
}

#[test]
fn a_shell_in_javascript_keeps_and_completes_its_own_variables() {
    let Some(bench) = Bench::new() else { return };
    let mut terminal = Terminal::shell(&bench, &["--language", "javascript"]);
    terminal.until("JavaScript on Node.js, environment `lean`");
    terminal.enter(1, "const a_long_name = 41");
    terminal.until("In [2]: ");
    terminal.keys("a_long_n\t");
    terminal.until("In [2]: a_long_name");
    terminal.keys(" + 1\r");
    terminal.until("Out[2]: 42\n");
    // The kernel says that there is more to come; what looks like a block of Python's is none.
    terminal.enter(3, "for (const x of [1, 2]) {\rconsole.log(x * 7)\r}");
    terminal.until("\n7\n14\n");
    terminal.enter(4, "const a_long_name = 'anew:'");
    terminal.enter(5, "null.x");
    terminal.until("TypeError: Cannot read properties of null");
    leave(terminal, 6);
    bench.assert_nothing_left();
}

#[test]
fn what_an_earlier_input_says_later_is_shown_above_the_prompt() {
    let Some(bench) = Bench::new() else { return };
    let mut terminal = Terminal::shell(&bench, &["--language", "javascript"]);
    let often = "let n = 0; const often = setInterval(() => { console.log('tick ' + ++n); n < 20 || clearInterval(often) }, 100)";
    terminal.enter(1, often);
    terminal.until("In [2]: ");
    terminal.keys("6 * ");
    let said = terminal.until("tick 20\n");
    assert!(!said.contains("earlier call"), "{said}");
    // What was typed stands there again.
    terminal.until("In [2]: 6 * ");
    terminal.keys("7\r");
    let said = terminal.until("Out[2]: 42\n");
    assert!(!said.contains("tick"), "{said}");
    leave(terminal, 3);
    bench.assert_nothing_left();
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let Some(bench) = Bench::new() else { return };
    let mut terminal = Terminal::shell(&bench, &[]);
    terminal.enter(1, "a = 20\rb = a + 1\rb * 2");
    terminal.until("Out[3]: 42\n");
    leave(terminal, 4);
}

#[test]
fn what_goes_on_gets_another_line() {
    let Some(bench) = Bench::new() else { return };
    let mut terminal = Terminal::shell(&bench, &[]);
    // The second line is indented by the shell, and a blank one ends the block.
    terminal.enter(1, "for i in range(3):\rprint(i * 7)\r");
    terminal.until("\n0\n7\n14\n");
    terminal.enter(2, "sum([1,\r2\r])");
    terminal.until("Out[2]: 3\n");
    // What is pasted stays whole, blank lines and all.
    let pasted = "def f():\n    a = 5\n\n    return a * 5\n\nb = f()\nb + 1";
    terminal.enter(3, &format!("\x1b[200~{pasted}\x1b[201~"));
    terminal.until("Out[3]: 26\n");
    terminal.enter(4, "if b:\r\x7fb");
    terminal.until("IndentationError");
    leave(terminal, 5);
}

#[test]
fn a_wide_table_is_shown_as_far_as_it_fits() {
    let Some(bench) = Bench::new() else { return };
    let mut terminal = Terminal::shell(&bench, &[]);
    terminal.enter(1, "import pandas as pd");
    terminal.enter(2, "pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})");
    terminal.until("Out[2]:\n   a  b\n0  1  x\n1  2  y\n");
    terminal.enter(3, "pd.DataFrame({f'column_{n}': [n, n / 4] for n in range(30)})");
    let table = terminal.until("columns; not shown: ");
    let table = table.split_once("Out[3]:\n").unwrap().1;
    assert!(table.starts_with("   column_0  column_1  "), "{table}");
    assert!(table.lines().next().unwrap().ends_with("  column_29") && table.contains("[2 rows x 30"));
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    leave(terminal, 4);
}

#[test]
fn tab_completes_what_the_interpreter_knows() {
    let Some(bench) = Bench::new() else { return };
    let mut terminal = Terminal::shell(&bench, &[]);
    terminal.enter(1, "a_long_name = 'ü'; a_long_list = [3]");
    terminal.until("In [2]: ");
    terminal.keys("'ü' + a_long_n\t");
    terminal.until("In [2]: 'ü' + a_long_name");
    terminal.keys("\r");
    terminal.until("Out[2]: 'üü'\n");
    terminal.until("In [3]: ");
    terminal.keys("a_long_\t");
    let listed = terminal.until("a_long_name");
    assert!(listed.contains("a_long_list"), "{listed}");
    terminal.keys("list.po\t");
    terminal.until("a_long_list.pop");
    terminal.keys("()\r");
    terminal.until("Out[3]: 3\n");
    leave(terminal, 4);
}

#[test]
fn ctrl_c_stops_the_code_and_keeps_variables() {
    let Some(bench) = Bench::new() else { return };
    let mut terminal = Terminal::shell(&bench, &[]);
    terminal.enter(1, "x = 7");
    terminal.enter(2, "[print('g' + 'o', flush=True)] and all(each == 0 for each in iter(int, 1))");
    terminal.until("\ngo\n");
    terminal.keys(INTERRUPT);
    let told = terminal.until("KeyboardInterrupt\n");
    let before = terminal.enter(3, "x");
    assert!(!(told + &before).contains("error:"), "{before}");
    terminal.until("Out[3]: 7\n");
    // At the prompt it clears the line.
    terminal.until("In [4]: ");
    terminal.keys(&format!("nonsense{INTERRUPT}"));
    terminal.until("nonsense\n");
    terminal.enter(4, "x + 1");
    terminal.until("Out[4]: 8\n");
    leave(terminal, 5);
    bench.assert_nothing_left();
}

#[test]
fn an_interpreter_that_ends_is_replaced_and_that_is_said() {
    let Some(bench) = Bench::new() else { return };
    let mut terminal = Terminal::shell(&bench, &[]);
    terminal.enter(1, "x = 7");
    terminal.enter(2, "import os; os.kill(os.getpid(), 11)");
    terminal.until("error: the interpreter crashed");
    terminal.until("variables are gone, files are kept");
    terminal.enter(1, "x");
    let told = terminal.until("NameError");
    assert!(!told.contains("gone"), "twice: {told}");
    leave(terminal, 2);
    bench.assert_nothing_left();
}

#[test]
fn files_outlive_the_shell() {
    let Some(bench) = Bench::new() else { return };
    let mut terminal = Terminal::shell(&bench, &["--workspace", "report"]);
    terminal.enter(1, "_ = open('made.txt', 'w').write('x' * 2048)");
    let (_, said) = leave(terminal, 2);
    let place = "data/workspaces/local/report/code-interpreter";
    assert!(said.contains("saved in the workspace `report`") && said.contains(place), "{said}");
    assert!(said.contains("  made.txt  2.0 KiB\n"), "{said}");
    assert_eq!(bench.read(&format!("../{place}/made.txt")).len(), 2048);
    std::fs::create_dir_all(bench.at("../data/workspaces/local/report/uploads")).unwrap();
    bench.write("../data/workspaces/local/report/uploads/given.txt", "given");
    let mut terminal = Terminal::shell(&bench, &["--workspace", "report"]);
    terminal.enter(1, "len(open('made.txt').read()), open('given.txt').read()");
    terminal.until("Out[1]: (2048, 'given')\n");
    let (_, said) = leave(terminal, 2);
    assert!(!said.contains("saved"), "nothing changed: {said}");
    bench.assert_nothing_left();
}

#[test]
fn figures_are_shown_or_saved() {
    let Some(bench) = Bench::new() else { return };
    let plot = "import matplotlib.pyplot as plt; _ = plt.plot([1, 2])";
    let mut terminal = Terminal::shell(&bench, &[]);
    terminal.enter(1, plot);
    terminal.until("figure saved: cellblock-out/figure-1.png\n");
    assert!(std::fs::read(bench.at("cellblock-out/figure-1.png")).unwrap().starts_with(b"\x89PNG"));
    leave(terminal, 2);
    let mut terminal = Terminal::with(&bench, &[], &[("TERM", "xterm-kitty")]);
    terminal.enter(1, plot);
    terminal.until("In [2]: ");
    assert!(terminal.raw.windows(3).any(|bytes| bytes == b"\x1b_G"));
    terminal.keys(END);
    assert_eq!(terminal.end().0, Some(0));
    assert_eq!(bench.names("cellblock-out"), ["figure-1.png"]);
}

#[test]
fn what_was_entered_is_at_hand_in_the_next_shell() {
    let Some(bench) = Bench::new() else { return };
    let mut terminal = Terminal::shell(&bench, &[]);
    terminal.enter(1, "'re' + 'called'");
    terminal.until("Out[1]: 'recalled'\n");
    terminal.enter(2, " 'not' + ' kept'");
    leave(terminal, 3);
    let history = bench.at("../data/shell-history");
    assert_eq!(std::fs::metadata(&history).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(history).unwrap(), "'re' + 'called'\n");
    let mut terminal = Terminal::shell(&bench, &[]);
    terminal.enter(1, UP);
    terminal.until("Out[1]: 'recalled'\n");
    leave(terminal, 2);
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    let Some(bench) = Bench::new() else { return };
    for (variables, coloured) in
        [(&[("TERM", "xterm")][..], true), (&[("TERM", "xterm"), ("NO_COLOR", "1")], false)]
    {
        let mut terminal = Terminal::with(&bench, &[], variables);
        terminal.enter(1, "def f(): return 'x' / 1");
        terminal.until("def f(): return 'x' / 1");
        terminal.keys("\r");
        terminal.enter(2, "f()");
        terminal.until("TypeError");
        terminal.until("In [3]: ");
        let styles = terminal.raw.windows(3).filter(|bytes| *bytes == b"\x1b[3").count();
        assert_eq!(styles > 0, coloured, "{}", String::from_utf8_lossy(&terminal.raw));
        terminal.keys(END);
        assert_eq!(terminal.end().0, Some(0));
    }
}

#[test]
fn being_told_to_end_leaves_the_terminal_as_it_was() {
    let Some(bench) = Bench::new() else { return };
    let mut terminal = Terminal::shell(&bench, &[]);
    terminal.enter(1, "_ = open('made.txt', 'w').write('x')");
    terminal.until("In [2]: ");
    assert!(!terminal.is_usual());
    kill_process(Pid::from_child(terminal.child()), Signal::TERM).unwrap();
    terminal.until("made.txt  1 B\n");
    assert!(terminal.is_usual());
    assert_eq!(terminal.end().0, Some(143));
    bench.assert_nothing_left();
}

#[test]
fn code_that_is_piped_in_is_one_cell() {
    let Some(bench) = Bench::new() else { return };
    let piped = |arguments: &[&str], code: &str| {
        let mut child =
            bench.command(["shell"].iter().chain(arguments)).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(code.as_bytes()).unwrap();
        Ended::from(child.wait_with_output().unwrap())
    };
    let ended = piped(&[], "def f():\n    return 6\n\nprint('ü')\nf() * 7\n");
    assert_eq!((ended.status, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "ü\n42\n", ""));
    let typed = "interface P { x: number }\nconst p: P = { x: 6 };\np.x * 7\n";
    let ended = piped(&["--language", "typescript"], typed);
    assert_eq!((ended.status, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "42\n", ""));
    let ended = piped(&["--language", "typescript"], &typed.replace('6', "'6'"));
    assert!(ended.status == Some(1) && ended.stderr.contains("error TS2322"), "{ended:?}");
    let ended = piped(&["--json"], "print('ü')\n1 / 0");
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, first) = (lines.last().unwrap(), &lines[0]);
    assert_eq!((&first["type"], &first["text"]), (&"stdout".into(), &"ü\n".into()));
    assert_eq!((&last["type"], &last["outcome"]), (&"report".into(), &"raised".into()));
    assert_eq!(last["error"]["name"], "ZeroDivisionError");
    bench.assert_nothing_left();
}

#[test]
fn a_session_of_a_server_is_joined_and_goes_on() {
    let Some(bench) = Bench::new() else { return };
    let server = Server::start(&bench, &[]);
    let id = server.open_session("analysis");
    let url = format!("http://{}", server.address);
    let mut terminal = Terminal::shell(&bench, &["--session", &id, "--url", &url]);
    terminal.until(&format!("joined the session {id}"));
    terminal.enter(1, "for each in 'ab':\rprint(each * 3)\r");
    terminal.until("\naaa\nbbb\n");
    terminal.enter(2, "a_long_name = 7; print('ü'); a_long_name");
    terminal.until("\nü\nOut[2]: 7\n");
    terminal.until("In [3]: ");
    terminal.keys("a_long_n\t");
    terminal.until("In [3]: a_long_name");
    terminal.keys(INTERRUPT);
    terminal.enter(3, "[print('g' + 'o', flush=True)] and all(each == 0 for each in iter(int, 1))");
    terminal.until("\ngo\n");
    terminal.keys(INTERRUPT);
    terminal.until("KeyboardInterrupt\n");
    terminal.enter(4, "import matplotlib.pyplot as plt; _ = plt.plot([1, 2])");
    terminal.until("figure saved: cellblock-out/figure-1.png\n");
    assert!(std::fs::read(bench.at("cellblock-out/figure-1.png")).unwrap().starts_with(b"\x89PNG"));
    leave(terminal, 5);
    // By its name, and its variables are there.
    let mut terminal = Terminal::shell(&bench, &["--session", "analysis", "--url", &url]);
    terminal.enter(1, "a_long_name * 6");
    terminal.until(": 42\n");
    leave(terminal, 6);
    // In another language, with variables of its own.
    let arguments = ["--language", "javascript", "--session", "analysis", "--url", &url];
    let mut terminal = Terminal::shell(&bench, &arguments);
    terminal.enter(1, "typeof a_long_name + ` ${6 * 7}`");
    terminal.until("Out[1]: 'undefined 42'\n");
    leave(terminal, 2);
    let ended = bench.cellblock(["shell", "--session", "other", "--url", &url]);
    assert_eq!(ended.status, Some(125), "{ended:?}");
    assert!(ended.stderr.starts_with(&format!("error: failed to find the session `other` at `{url}`\n")));
    assert!(ended.stderr.contains(&format!("hint: open are: {id} (analysis)")), "{ended:?}");
    drop(server);
    let ended = bench.cellblock(["shell", "--session", &id, "--url", &url]);
    assert!(ended.stderr.contains("hint: `cellblock serve` starts one"), "{ended:?}");
}
