//! Work in several calls on files, as agents do it.

use std::path::Path;

use session::FileKind;

use crate::kit::{Bench, COLD, DATA, print, run, with};

async fn a_piece_of_work_in_four_calls(bench: &Bench) {
    let steps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/patterns/workflow");
    let read = |name: &str| std::fs::read_to_string(steps.join(name)).unwrap();
    let session = bench.session().await;
    session.create_file("readings.csv", std::io::Cursor::new(read("readings.csv"))).await.unwrap();
    for step in 1..=4 {
        let ran = run(&session, &read(&format!("step{step}.py"))).await.ok();
        assert_eq!(ran.stdout(), read(&format!("step{step}.out")), "step {step}");
        assert_eq!(ran.pictures(), [], "what is saved and closed is not shown");
    }
    let files = session.files().await.unwrap();
    let mut names: Vec<_> = files.iter().map(|file| (file.path.to_str().unwrap(), file.kind)).collect();
    names.sort_by_key(|(name, _)| *name);
    let file = |name| (name, FileKind::File);
    assert_eq!(names, [file("daily.csv"), file("daily.png"), file("readings.csv")]);
    session.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_of_work_in_four_calls_forked() {
    with(DATA, a_piece_of_work_in_four_calls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_of_work_in_four_calls_cold() {
    with(COLD, a_piece_of_work_in_four_calls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_feels_like_an_account() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let code = "
import getpass, os, pathlib, pwd, socket, sys
print(getpass.getuser(), pwd.getpwuid(os.getuid()).pw_name, os.path.expanduser('~'), os.getcwd(), socket.gethostname())
home = pathlib.Path.home() / 'note.txt'; home.write_text('in the home'); print(home.read_text())
print(sys.executable, sys.getfilesystemencoding(), os.cpu_count())
import shutil
print([shutil.which(name) for name in ('python', 'pip', 'node', 'deno', 'sh')])";
        assert_eq!(
            print(&session, code).await,
            "user user /home/user /mnt/workspace cell\nin the home\n/home/user/.local/bin/python utf-8 2\n\
             ['/home/user/.local/bin/python', '/opt/cellblock/runtime/bin/pip', '/opt/cellblock/env/bin/node', \
             '/opt/cellblock/env/bin/deno', '/usr/bin/sh']\n"
        );
        session.stop().await.unwrap();
    })
    .await;
}

async fn packages_of_the_user_are_found(bench: &Bench) {
    let session = bench.session().await;
    let module = "import os\nopen('own.py', 'w').write('value = 1')\nimport own\nown.value, os.path.exists('__pycache__')";
    assert_eq!(run(&session, module).await.ok().value(), Some("(1, False)"));
    // As `pip install` does it.
    let package = "
import pathlib, subprocess, sys
site = pathlib.Path.home() / '.local/lib' / f'python{sys.version_info[0]}.{sys.version_info[1]}' / 'site-packages'
(site / 'installed.py').write_text('value = 2')";
    run(&session, package).await.ok();
    let code = "import installed; print(installed.value); subprocess.run([sys.executable, '-c', 'import installed; print(installed.value)']); pass";
    assert_eq!(print(&session, code).await, "2\n2\n");
    session.stop().await.unwrap();
}

crate::state::with_both! {
    packages_of_the_user_are_found,
}
