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
    assert!(told["seconds"].as_f64() > Some(0.0) && told["memory_limit_bytes"] == 4096u64 << 20);
}

#[test]
fn an_import_that_no_environment_has_is_told_before_the_program_fails() {
    let Some(bench) = Bench::new() else { return };
    let ended = bench.python("import torch", &[]);
    assert_eq!(ended.status, Some(1));
    let (warning, traceback) = ended.stderr.split_once('\n').unwrap();
    assert_eq!(
        warning,
        "warning: `torch` is not in the environment `lean`, and this version has none that it is in"
    );
    assert!(traceback.contains("ModuleNotFoundError: No module named 'torch'"), "{ended:?}");
    let quiet = bench.python("import torch", &["--quiet"]);
    assert!(quiet.stderr.starts_with("Traceback"), "{quiet:?}");
}

#[test]
fn two_programs_at_the_same_time_do_not_meet() {
    let Some(bench) = Bench::new() else { return };
    bench.write("program.py", "import os\nprint(sorted(os.listdir('.')), len(os.listdir('/proc')) < 100)");
    let both: Vec<_> = (0..2).map(|_| bench.command(["run", "program.py"]).spawn().unwrap()).collect();
    for child in both {
        let ended = Ended::from(child.wait_with_output().unwrap());
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "[] True\n"), "{ended:?}");
    }
    bench.assert_nothing_left();
}
