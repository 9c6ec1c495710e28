//! What a session has installed can break its programs, and no kernel at its start: that would be our error.

use session::{Outcome, Survival};

use super::{begin_again, prepared, run};
use crate::kit::{BARE, Bench, print, with};
use crate::state::with_both;

/// Puts a file beside what is installed.
const PUT: &str = "
import site
def put(name, text): open(os.path.join(site.getsitepackages()[0], name), 'w').write(text)
";

with_both! {
    a_kernel_begins_whatever_is_installed,
}

async fn a_kernel_begins_whatever_is_installed(bench: &Bench) {
    let session = prepared(bench).await;
    let code = format!(
        "{PUT}
put('garbage.pth', '\\0\\xff not a path\\nimport nothing_at_all\\n')
put('leaves.pth', 'import sys; sys.exit(3)\\n')
put('works.pth', 'import builtins; builtins.worked = True\\n/mnt/workspace/more\\n')
for name in ('sitecustomize', 'usercustomize', 'json', 'signal', 'traceback', 'cellblock_kernel'):
    put(f'{{name}}.py', 'import os; os._exit(7)')
os.mkdir('more'); open('more/further.py', 'w').write('')"
    );
    run(&session, &code).await.ok();
    let ran = run(&session, "exit()").await;
    assert_eq!(ran.report.outcome, Outcome::Exited { status: 0 }, "{ran:?}");
    let ran = run(&session, "import json, further; print(worked, json.dumps([1]))").await.ok();
    assert_eq!(ran.stdout(), "True [1]\n");
    assert!(ran.report.fresh_kernel);
    let said = ran.stderr();
    assert!(said.contains("leaves.pth: SystemExit(3)") && said.contains("garbage.pth"), "{said}");
    // Said once; what it says of other interpreters is theirs to say.
    let ran = run(&session, "worked").await.ok();
    assert_eq!((ran.value(), ran.stderr().as_str()), (Some("True"), ""));
    session.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_file_that_never_ends() {
    with(BARE, async |bench: &Bench| {
        let limits = session::Limits { call_ms: 1500, ..session::Limits::default() };
        let session = bench.session_with(limits).await;
        let code = format!("import os\n{PUT}\nput('waits.pth', 'import time; time.sleep(1000)\\n')\nx = 1");
        run(&session, &code).await.ok();
        let ran = run(&session, "print(x)").await;
        assert!(matches!(ran.report.outcome, Outcome::TimedOut { .. }), "{ran:?}");
        assert_eq!(ran.report.variables, Survival::Kept);
        assert_eq!(print(&session, "print(x)").await, "1\n");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_was_removed() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench).await;
        run(&session, "import shutil; shutil.rmtree(os.path.expanduser('~/.local'))").await.ok();
        begin_again(&session).await;
        let code = "
wheel('one', '1.0', {'one.py': ''})
says('python -m pip install one')
import one; print(sys.executable, one.__file__[:17])";
        assert_eq!(print(&session, code).await, "/opt/cellblock/env/bin/python /home/user/.local\n");
        session.stop().await.unwrap();
    })
    .await;
}
