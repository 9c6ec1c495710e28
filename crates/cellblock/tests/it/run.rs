//! Programs that come to an end of their own.

use std::io::Write;
use std::process::Stdio;

use crate::bench::{Bench, Ended};

#[test]
fn output_comes_as_the_program_writes_it() {
    let Some(bench) = Bench::new() else { return };
    let ended = bench.python("import sys\nprint('out')\nprint('err', file=sys.stderr)\n6 * 7\n", &[]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "out\n42\n"), "{ended:?}");
    assert_eq!(ended.stderr, "err\n");
    bench.assert_nothing_left();
    assert!(bench.names("cellblock-out").is_empty(), "a directory for nothing");
}

#[test]
fn a_program_may_come_from_standard_input() {
    let Some(bench) = Bench::new() else { return };
    let mut child = bench.command(["run", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"print(6 * 7)").unwrap();
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!((ended.status, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "42\n", ""));
}

#[test]
fn the_exit_status_is_the_programs_own() {
    let Some(bench) = Bench::new() else { return };
    for (source, status) in [
        ("import sys; sys.exit(7)", 7),
        ("raise SystemExit", 0),
        ("import os; os._exit(9)", 9),
        ("1 / 0", 1),
        ("import os; os.kill(os.getpid(), 11)", 139),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137),
    ] {
        let ended = bench.python(source, &[]);
        assert_eq!(ended.status, Some(status), "{source}: {ended:?}");
    }
    bench.assert_nothing_left();
}

#[test]
fn a_traceback_is_the_programs_and_goes_to_standard_error() {
    let Some(bench) = Bench::new() else { return };
    let ended = bench.python("def f():\n    return 1 / 0\n\nf()\n", &[]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.starts_with("Traceback (most recent call last):"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("program.py\", line 2, in f") && !ended.stderr.contains("cellblock_kernel")
    );
    assert!(ended.stderr.ends_with("ZeroDivisionError: division by zero\n"), "{}", ended.stderr);
}

#[test]
fn limits_are_told_with_what_to_do() {
    let Some(bench) = Bench::new() else { return };
    let ended = bench.python("while True: pass", &["--timeout", "0.5"]);
    assert_eq!(ended.status, Some(124));
    assert!(
        ended.stderr.contains("error: stopped: the call took longer than its limit of 0.500 s"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("hint: give it more time with `--timeout SECONDS`"), "{ended:?}");
    let hungry = "data = bytearray(1 << 30)\ndata[::4096] = b'x' * len(data[::4096])";
    let ended = bench.python(hungry, &["--memory", "200"]);
    assert_eq!(ended.status, Some(137), "{ended:?}");
    assert!(
        ended.stderr.contains("error: killed: the cell's memory limit of 200 MiB was reached"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("hint: give it more memory with `--memory MIB`"), "{ended:?}");
    bench.assert_nothing_left();
}

#[test]
fn files_that_the_program_names_come_and_those_that_it_makes_are_saved() {
    let Some(bench) = Bench::new() else { return };
    bench.write("data/in.csv", "a\n1\n");
    bench.write("helpers.py", "def double(x): return 2 * x\n");
    bench.write("secret.txt", "not named");
    let source = "
import os, helpers
text = open('data/in.csv').read()
os.makedirs('made')
open('made/out.csv', 'w').write(text * helpers.double(1))
open('.hidden', 'w').close()
os.symlink('/etc/passwd', 'link')
os.mkfifo('fifo')
print(sorted(os.listdir()))
";
    let ended = bench.python(source, &[]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(!ended.stdout.contains("secret"), "{ended:?}");
    assert_eq!(bench.read("cellblock-out/made/out.csv"), "a\n1\na\n1\n");
    assert_eq!(bench.names("cellblock-out"), [".hidden", "made"]);
    insta::assert_snapshot!(ended.stderr, @r"
    brought into the cell: data/in.csv, helpers.py
    saved in cellblock-out:
      .hidden  0 B
      made/out.csv  8 B
    left in the cell:
      1 link: link
      1 pipe, socket or device: fifo
    ");
    // Again, with another content: what is there stays.
    let ended = bench.python(&source.replace("double(1)", "double(2)"), &[]);
    assert!(ended.stderr.contains("made/out-2.csv  16 B  (another made/out.csv was there)"), "{ended:?}");
    assert_eq!(bench.read("cellblock-out/made/out.csv"), "a\n1\na\n1\n");
    // What is named on the command line comes too, and a changed file is one that the program made.
    let ended =
        bench.python("open('secret.txt', 'a').write('!')", &["--file", "secret.txt", "--out", "results"]);
    assert_eq!(
        (ended.status, bench.read("results/secret.txt").as_str()),
        (Some(0), "not named!"),
        "{ended:?}"
    );
    assert_eq!(bench.read("secret.txt"), "not named");
}

#[test]
fn figures_are_saved() {
    let Some(bench) = Bench::new() else { return };
    let source = "
import matplotlib.pyplot as plt
plt.plot([1, 2]); plt.show()
plt.figure(); _ = plt.plot([2, 1])
";
    let ended = bench.python(source, &[]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), ""), "{ended:?}");
    assert_eq!(bench.names("cellblock-out"), ["figure-1.png", "figure-2.png"]);
    let png = std::fs::read(bench.at("cellblock-out/figure-1.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
}

#[test]
fn threads_and_exit_handlers_end_as_they_do_in_a_script() {
    let Some(bench) = Bench::new() else { return };
    let source = "
import atexit, threading, time
atexit.register(print, 'last')
threading.Thread(target=lambda: (time.sleep(0.3), print('thread'))).start()
print('main')
";
    let ended = bench.python(source, &[]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "main\nthread\nlast\n"), "{ended:?}");
}

#[test]
fn everything_is_told_as_one_json_object() {
    let Some(bench) = Bench::new() else { return };
    let source = "
import sys
import matplotlib.pyplot as plt
print('out'); print('err', file=sys.stderr)
plt.plot([1, 2]); plt.show()
open('made.txt', 'w').write('x')
{'a': 1}[2]
";
    let ended = bench.python(source, &["--json"]);
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(1), ""), "{ended:?}");
    let told: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&told["outcome"], &told["status"]), (&"raised".into(), &1.into()));
    assert_eq!((&told["stdout"], &told["stderr"]), (&"out\n".into(), &"err\n".into()));
    assert_eq!((&told["error"]["name"], &told["error"]["value"]), (&"KeyError".into(), &"2".into()));
    assert_eq!((&told["files"][0]["name"], &told["files"][0]["bytes"]), (&"made.txt".into(), &1.into()));
    assert_eq!(told["figures"][0]["path"], "cellblock-out/figure-1.png");
    let shown = &told["results"][0];
    assert_eq!((&shown["kind"], &shown["figure"]), (&"display".into(), &"cellblock-out/figure-1.png".into()));
    let chart = &shown["data"]["application/vnd.cellblock.chart+json"];
    assert_eq!(chart["axes"][0]["series"][0]["y"], serde_json::json!([1, 2]));
    let help = bench.cellblock(["run", "--help"]).stdout;
    let (_, keys) = help.split_once("standard output is one object:").unwrap();
    let (keys, _) = keys.split_once("Exit status:").unwrap();
    for key in told.as_object().unwrap().keys().chain(told["not_saved"].as_object().unwrap().keys()) {
        assert!(keys.split([' ', ',', '(', ')', '\n']).any(|word| word == key), "`{key}` is not in the help");
    }
    assert!(told["seconds"].as_f64() > Some(0.0) && told["memory_limit_bytes"] == 4096u64 << 20);
}

#[test]
fn an_import_that_no_environment_has_is_told_before_the_program_fails() {
    let Some(bench) = Bench::new() else { return };
    let ended = bench.python("import nowhere_at_all", &[]);
    assert_eq!(ended.status, Some(1));
    let (warning, traceback) = ended.stderr.split_once('\n').unwrap();
    assert_eq!(
        warning,
        "warning: `nowhere_at_all` is not in the environment `lean`, and this version has none that it is in"
    );
    assert!(traceback.contains("ModuleNotFoundError: No module named 'nowhere_at_all'"), "{ended:?}");
    let quiet = bench.python("import nowhere_at_all", &["--quiet"]);
    assert!(quiet.stderr.starts_with("Traceback"), "{quiet:?}");
}

#[test]
fn an_import_that_only_full_has_gets_the_command_that_installs_it() {
    let Some(bench) = Bench::only_lean() else { return };
    let source =
        "try:\n    import orjson as json\nexcept ImportError:\n    import json\nprint(json.dumps(1))";
    let ended = bench.python(source, &[]);
    assert_eq!(
        (ended.status, ended.stdout.as_str()),
        (Some(0), "1\n"),
        "a program may do without: {ended:?}"
    );
    let mut lines = ended.stderr.lines();
    assert_eq!(lines.next(), Some("warning: `orjson` is not in the environment `lean`, but in `full`"));
    let hint = lines.next().unwrap();
    assert!(hint.starts_with("hint: `cellblock env install full` installs it, once: "), "{hint}");
    assert!(hint.ends_with(" GiB to fetch, 8.0 GiB on disk"), "{hint}");
    let quiet = bench.python(source, &["--quiet"]);
    assert_eq!(quiet.stderr, "");
    assert!(bench.cellblock(["env", "list"]).stdout.contains("not installed: `cellblock env install full`"));
}

#[test]
fn the_smallest_environment_that_has_the_imports_is_taken() {
    let Some(bench) = Bench::with_full() else { return };
    // Modules of the program's own do not count, even where a package has one of the name.
    bench.write("docx.py", "");
    for (source, expected) in [
        ("import pandas, json", "lean"),
        ("import docx", "lean"),
        ("import orjson, pandas\nprint(orjson.dumps([1]))", "full"),
    ] {
        let ended = bench.python(source, &["--json"]);
        let told: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(
            (&told["environment"]["name"], &told["status"]),
            (&expected.into(), &0.into()),
            "{source}"
        );
    }
    let lean = bench.python("try:\n    import orjson\nexcept ImportError:\n    pass", &["--env", "lean"]);
    assert!(lean.stderr.ends_with("hint: `--env full` takes it\n"), "{lean:?}");
}

#[test]
fn two_programs_at_the_same_time_do_not_meet() {
    let Some(bench) = Bench::new() else { return };
    bench.write("program.py", "import os\nprint(sorted(os.listdir('.')), len(os.listdir('/proc')) < 100)");
    let both: Vec<_> = (0..2).map(|_| bench.command(["run", "program.py"]).spawn().unwrap()).collect();
    for child in both {
        let ended = Ended::from(child.wait_with_output().unwrap());
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "['program.py'] True\n"), "{ended:?}");
    }
    bench.assert_nothing_left();
}

#[test]
fn arguments_are_the_programs_as_python_has_them() {
    let Some(bench) = Bench::new() else { return };
    bench.write("p.py", "import sys; print(sys.argv)");
    for (arguments, told) in [
        (&["run", "p.py"][..], "['p.py']"),
        (
            &["run", "p.py", "--n", "3", "--timeout", "x", "-q"],
            "['p.py', '--n', '3', '--timeout', 'x', '-q']",
        ),
        (&["run", "p.py", "-q", "--", "--out", "x"], "['p.py', '--out', 'x']"),
        (&["run", "--timeout", "60", "p.py", "a b", "é"], "['p.py', 'a b', 'é']"),
    ] {
        let ended = bench.cellblock(arguments);
        assert_eq!((ended.status, ended.stdout.trim_end()), (Some(0), told), "{ended:?}");
    }
    let mut child = bench.command(["run", "-", "x"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"import sys, os; print(sys.argv, os.listdir())").unwrap();
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!(ended.stdout, "['-', 'x'] []\n", "{ended:?}");
}

#[test]
fn a_program_has_no_standard_input_and_is_told_so() {
    let Some(bench) = Bench::new() else { return };
    bench.write("p.py", "import sys; name = sys.stdin.read()");
    let mut child = bench.command(["run", "p.py"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"Bob").unwrap();
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("EOFError: sys.stdin has nothing to read"), "{ended:?}");
}

#[test]
fn processes_may_be_spawned() {
    let Some(bench) = Bench::new() else { return };
    let source = "
import multiprocessing

def square(x):
    return x * x

if __name__ == '__main__':
    with multiprocessing.get_context('spawn').Pool(2) as pool:
        print(pool.map(square, [1, 2, 3]))
";
    let ended = bench.python(source, &["--timeout", "60"]);
    assert_eq!((ended.status, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "[1, 4, 9]\n", ""));
    // The program lies in the workspace, and is not taken for something that it made.
    assert!(bench.names("cellblock-out").is_empty());
    let mut child = bench.command(["run", "-", "--timeout", "60"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!((ended.status, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "[1, 4, 9]\n", ""));
}

#[test]
fn a_program_gets_nothing_of_the_host_through_links_or_hidden_names() {
    let Some(bench) = Bench::new() else { return };
    bench.write("secret", "SECRET");
    bench.write("home/.ssh/id", "SECRET");
    std::fs::create_dir_all(bench.at("evil/sub")).unwrap();
    for (to, link) in
        [("../../secret", "evil/sub/cfg.txt"), ("../home", "evil/home"), ("../secret", "evil/a.py")]
    {
        std::os::unix::fs::symlink(to, bench.at(link)).unwrap();
    }
    bench.write("evil/.env", "SECRET");
    let source = "
for path in ['sub/cfg.txt', 'home/.ssh/id', '.env', 'a.py']:
    try: print(open(path).read())
    except OSError as error: print(error.errno)
";
    bench.write("evil/main.py", source);
    let ended = bench.cellblock(["run", "evil/main.py"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "2\n2\n2\n2\n"), "{ended:?}");
    insta::assert_snapshot!(ended.stderr, @r"
    warning: the program names what is not brought into the cell:
      .env (hidden)
      a.py (reached through a link)
      home/.ssh/id (hidden)
      sub/cfg.txt (reached through a link)
    hint: what the program may have, bring with `--file PATH`
    ");
    // A directory that was named comes without what its links lead to.
    bench.write("main.py", "import os; print(sorted(os.listdir('evil')))");
    let ended = bench.cellblock(["run", "main.py", "--file", "evil"]);
    assert_eq!(ended.stdout, "['.env', 'main.py']\n", "{ended:?}");
    // What is asked for comes under the name that the program has for it.
    bench.write("evil/main.py", "print(open('sub/cfg.txt').read())");
    let ended = bench.cellblock(["run", "evil/main.py", "--file", "evil/sub/cfg.txt"]);
    assert_eq!(ended.stdout, "SECRET\n", "{ended:?}");
}

#[test]
fn a_program_in_the_home_directory_brings_only_modules() {
    let Some(bench) = Bench::new() else { return };
    bench.write("taxes.txt", "SECRET");
    bench.write("helpers.py", "x = 1");
    bench.write("tool.py", "import helpers; print(open('taxes.txt').read())");
    let home = bench.at("");
    let ended = Ended::from(bench.command(["run", "tool.py"]).env("HOME", &home).output().unwrap());
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.contains("brought into the cell: helpers.py\n"), "{ended:?}");
    assert!(ended.stderr.contains("taxes.txt (the program lies directly in your home or in /)"), "{ended:?}");
}

#[test]
fn a_file_that_was_not_brought_is_pointed_to() {
    let Some(bench) = Bench::new() else { return };
    bench.write("data/a.csv", "1");
    let ended = bench.python("import glob\nprint(glob.glob('data/*.csv'), open('data/' + 'a.csv'))", &[]);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.stderr.starts_with(
        "warning: files that a pattern names are not brought: `data/*.csv`\n\
         hint: bring them with `--file data`\n"
    ));
    assert!(ended.stderr.ends_with(
        "hint: `data/a.csv` is on this machine and was not brought into the cell: add `--file data`\n"
    ));
    let ended = bench.python("import glob; print(glob.glob('data/*.csv'))", &["--file", "data"]);
    assert_eq!(
        (ended.stdout.as_str(), ended.stderr.as_str()),
        ("['data/a.csv']\n", "brought into the cell: data/a.csv\n")
    );
}

#[test]
fn a_program_in_latin_1_runs() {
    let Some(bench) = Bench::new() else { return };
    bench.write("program.py", b"# coding: latin-1\nprint('\xe9')\n");
    let ended = bench.cellblock(["run", "program.py"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "é\n"), "{ended:?}");
}

#[test]
fn a_program_reaches_what_is_listed_and_is_told_of_the_rest() {
    let Some(bench) = Bench::new() else { return };
    let source = "
import socket
for name in ('listed.example', 'other.example'):
    try:
        print(name, socket.getaddrinfo(name, 443, socket.AF_INET)[0][4][0])
    except socket.gaierror:
        print(name, 'none')
";
    let ended = bench.python(source, &["--allow", "listed.example"]);
    let (listed, other) = ended.stdout.split_once('\n').unwrap();
    assert!(listed.starts_with("listed.example 198.18.") && other == "other.example none\n", "{ended:?}");
    assert_eq!(
        ended.stderr,
        "warning: `other.example` is not on this session's list (the list: listed.example)\n"
    );
    let ended = bench.python(source, &[]);
    assert_eq!(ended.stdout, "listed.example none\nother.example none\n", "{ended:?}");
    // No resolver is asked for what is no public address.
    let ended =
        bench.python("import socket; socket.create_connection(('10.0.0.1', 1))", &["--network", "internet"]);
    assert!(ended.stderr.contains("`10.0.0.1:1` was refused: it is a private address"), "{ended:?}");
    let ended = bench.python(source, &["--network", "some"]);
    assert_eq!(ended.status, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("a network mode is none, allow or internet"), "{ended:?}");
    bench.assert_nothing_left();
}
