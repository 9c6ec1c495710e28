//! `pip install`, in every way that it is started.

use session::{Limits, Outcome};

use super::{begin_again, prepared, print, quietly, run};
use crate::kit::{BARE, Bench, COLD, shell, with};
use crate::state::with_both;

with_both! {
    a_package_is_there_at_once,
    another_version_comes_before_the_environments,
    what_is_loaded_is_replaced_in_the_next_interpreter,
}

async fn a_package_is_there_at_once(bench: &Bench) {
    let session = prepared(bench).await;
    // In the next statement, after a search that has found nothing.
    let code = "
for name in ('one', 'two', 'three', 'four'):
    wheel(name, '1.0', {f'{name}.py': 'def main(): print(__file__)'}, f'run-{name}={name}:main')
try: import one
except ImportError: print(says('pip install one').count('Success'))
import one
one.main(); print(says('run-one'), end='')";
    let python = print(&session, "print(f'python{sys.version_info[0]}.{sys.version_info[1]}')").await;
    let file = |name: &str| format!("/home/user/.local/lib/{}/site-packages/{name}.py\n", python.trim());
    assert_eq!(quietly(&session, code).await, format!("1\n{}{}", file("one"), file("one")));
    // By the kernel's own interpreter; the way of notebooks; and beside the interpreter.
    let code = "subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', 'two'], check=True); import two; two.main()";
    assert_eq!(quietly(&session, code).await, file("two"));
    let said = quietly(&session, "%pip install three\nimport three; three.main()").await;
    assert!(said.contains("Successfully installed three-1.0\n") && said.ends_with(&file("three")), "{said}");
    assert!(!said.contains("restart"), "{said}");
    let line = "pip3 install --no-index --find-links wheels four && run-four";
    let ran = shell(&session, line).await.ok();
    assert!(ran.stderr().is_empty() && ran.stdout().ends_with(&file("four")), "{ran:?}");
    assert_eq!(quietly(&session, "import four; four.main()").await, file("four"));
    session.stop().await.unwrap();
    // Another session has nothing of it.
    let session = bench.session().await;
    assert_eq!(run(&session, "import one").await.raised().0, "ModuleNotFoundError");
    session.stop().await.unwrap();
}

async fn another_version_comes_before_the_environments(bench: &Bench) {
    let session = prepared(bench).await;
    let code = "
wheel('idna', '3.0', {'idna/__init__.py': '__version__ = 3'})
said = says('pip install idna==3.0')
assert 'outside environment /home/user/.local' in said and said.endswith('Successfully installed idna-3.0\\n'), said
import idna
print(idna.__version__, says('python -c \"import idna, numpy; print(idna.__version__)\"'), end='')
listed = says('pip list --format freeze').split()
print('idna==3.0' in listed, any(name.startswith('numpy==') for name in listed))
import importlib.metadata, sysconfig, site
print(importlib.metadata.version('idna'), sysconfig.get_path('purelib') == site.getsitepackages()[0] == sys.path[4])
said = says('pip uninstall idna')
assert 'Successfully uninstalled idna-3.0' in said, said
print(says('python -c \"import idna; print(idna.__version__ != 3)\"'), end='')
said = says('pip uninstall idna')
assert 'outside environment /home/user/.local' in said and 'No files were found to uninstall' in said, said";
    assert_eq!(quietly(&session, code).await, "3 3\nTrue True\n3.0 True\nTrue\n");
    session.stop().await.unwrap();
}

async fn what_is_loaded_is_replaced_in_the_next_interpreter(bench: &Bench) {
    let session = prepared(bench).await;
    // Part of IPython's company, and so loaded in a forked kernel from the beginning.
    let code = "
import ipython_pygments_lexers as loaded
wheel('ipython_pygments_lexers', '99', {'ipython_pygments_lexers.py': open(loaded.__file__).read() + '\\n__version__ = 99'})
get_ipython().run_line_magic('pip', 'install -q ipython_pygments_lexers==99')
print(loaded.__version__ == 99)";
    let said = quietly(&session, code).await;
    assert!(
        said.starts_with("Imported before, from elsewhere: `ipython_pygments_lexers`; exit() ends"),
        "{said}"
    );
    assert!(said.ends_with("False\n"), "{said}");
    begin_again(&session).await;
    assert_eq!(
        quietly(&session, "import ipython_pygments_lexers as loaded; print(loaded.__version__)").await,
        "99\n"
    );
    let code =
        "import random, IPython; print(get_ipython() is not None, sys.executable, loaded.__file__[:17])";
    assert_eq!(quietly(&session, code).await, "True /home/user/.local/bin/python /home/user/.local\n");
    session.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_ways_to_install() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench).await;
        let code = "
wheel('one', '1.0', {'one.py': ''}); wheel('two', '1.0', {'two.py': ''}); wheel('three', '1.0', {'three.py': ''})
says('pip install --user one'); import one; print(one.__file__[:17])
says('pip install --target place two')
try: import two
except ImportError: sys.path.append('place')
import two; print(two.__file__)
says('python -m venv --without-pip apart && pip --python apart/bin/python install three')
print(says('apart/bin/python -c \"import three, sys; print(three.__file__, sys.path[-1])\"'), end='')
print(subprocess.run('apart/bin/python -c \"import one\"', shell=True, stderr=subprocess.DEVNULL).returncode)";
        let said = quietly(&session, code).await;
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[..2], ["/home/user/.local", "/mnt/workspace/place/two.py"]);
        assert!(lines[2].starts_with("/mnt/workspace/apart/lib/") && !lines[2].contains("/opt/"), "{said}");
        assert_eq!(lines[3], "1");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_is_worked_on() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench).await;
        // Its build backend is in its own tree: the usual ones come from an index.
        let code = r#"
import pathlib
project = pathlib.Path('project'); (project / 'src').mkdir(parents=True); (project / 'src/idna.py').write_text('value = 1')
(project / 'pyproject.toml').write_text("""
[project]
name = "worked-on"
version = "1"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
""")
(project / 'backend.py').write_text("""
import os, zipfile
def build_editable(directory, config_settings=None, metadata_directory=None):
    name, info = "worked_on-1-py3-none-any.whl", "worked_on-1.dist-info"
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: worked-on\\nVersion: 1\\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr("worked_on.pth", os.path.abspath("src") + "\\n")
        archive.writestr(f"{info}/RECORD", "")
    return name
""")
said = says('pip install -e project')
assert 'Successfully installed worked-on-1' in said, said"#;
        assert_eq!(quietly(&session, code).await, "");
        // The environment has a package of this name.
        let code = "import idna; print(idna.__file__, says('python -c \"import idna; print(idna.__file__)\"'), end='')";
        let file = "/mnt/workspace/project/src/idna.py";
        assert_eq!(quietly(&session, code).await, format!("{file} {file}\n"));
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_an_index_on_the_cells_own_loopback() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench).await;
        let code = "
import functools, http.server, pathlib, threading
wheel('base', '1.0', {'base.py': ''}); wheel('one', '1.0', {'one.py': 'import base'})
for name in ('one', 'base'):
    folder = pathlib.Path('simple', name); folder.mkdir(parents=True)
    file = f'{name}-1.0-py3-none-any.whl'; os.rename(f'wheels/{file}', folder / file)
    (folder / 'index.html').write_text(f'<a href=\"{file}\">{file}</a>')
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
del os.environ['PIP_NO_INDEX'], os.environ['PIP_FIND_LINKS']
print(says(f'pip install -q --index-url http://127.0.0.1:{server.server_port}/simple one base'), end='')
import one; print(one.base.__file__[:17], says('pip cache dir'), end='')
server.shutdown()";
        assert_eq!(quietly(&session, code).await, "/home/user/.local /home/user/.cache/pip\n");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_installed_counts() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session_with(Limits { disk: 32 << 20, ..Limits::default() }).await;
        run(&session, include_str!("wheel.py")).await.ok();
        let code = "
import time
wheel('large', '1.0', {'large.py': '', **{f'large/{n}': bytes(1 << 20) for n in range(60)}})
says('pip install -q --no-cache-dir large')
while True: time.sleep(0.1)";
        let ran = run(&session, code).await;
        assert!(matches!(ran.report.outcome, Outcome::DiskFull { .. }), "{ran:?}");
        session.stop().await.unwrap();
    })
    .await;
}
