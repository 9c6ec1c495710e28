//! A workspace that has another place than the usual one.

use std::io::{Cursor, Read};
use std::path::Path;

use session::{Mount, Session};

use crate::kit::{Bench, print, run, shell, within};

async fn open(bench: &Bench) -> Session {
    bench.session_at(Mount::new("/mnt/data").unwrap()).await
}

async fn it_is_where_everything_works(bench: &Bench) {
    let session = open(bench).await;
    let code = "
import os, subprocess
open('one', 'w').write('1'); open('/mnt/data/two', 'w').write('2'); open('/mnt/workspace/three', 'w').write('3')
os.makedirs('/mnt/data/below')
print(os.getcwd(), sorted(os.listdir()), sorted(os.listdir('/mnt')), os.readlink('/mnt/workspace'))
print(os.path.realpath('/mnt/workspace/one'), os.path.samefile('one', '/mnt/workspace/one'))
print(subprocess.run('pwd; cat two', shell=True, capture_output=True, text=True).stdout)";
    assert_eq!(
        print(&session, code).await,
        "/mnt/data ['below', 'one', 'three', 'two'] ['data', 'node_modules', 'workspace'] data\n/mnt/data/one True\n/mnt/data\n2\n"
    );
    // Commands, and as agents write them that know where files are at AWS.
    assert_eq!(shell(&session, "pwd; echo $(cat one two three)").await.ok().stdout(), "/mnt/data\n123\n");
    let line = "cd \"/mnt/workspace\" && cat one && echo 4 > four";
    assert_eq!(shell(&session, line).await.ok().stdout(), "1");
    let program =
        "printf '#!/bin/sh\\necho it runs' > tool && chmod +x tool && ./tool && /mnt/data/tool && rm tool";
    assert_eq!(shell(&session, program).await.ok().stdout(), "it runs\nit runs\n");
    // A fresh interpreter is there, too; one that has moved can come back.
    session.clear(session::Language::Python).await.unwrap();
    let code = "import os; here = os.getcwd(); os.chdir('/tmp'); os.chdir('/mnt/workspace'); print(here, os.getcwd())";
    assert_eq!(print(&session, code).await, "/mnt/data /mnt/data\n");
    session.stop().await.unwrap();
}

async fn its_files_are_reached_from_outside(bench: &Bench) {
    let session = open(bench).await;
    let write = async |path: &str| {
        let content = Cursor::new(path.as_bytes().to_vec());
        within("write a file", session.write_file(path, content)).await
    };
    for path in ["a", "/mnt/data/b", "/mnt/workspace/c", "/mnt/data/new/d"] {
        write(path).await.unwrap();
    }
    for (path, place) in [
        ("a", "/mnt/data/a"),
        ("/mnt/data/b", "/mnt/data/b"),
        ("/mnt/workspace/c", "/mnt/data/c"),
        ("../data/new/d", "/mnt/data/new/d"),
    ] {
        let mut opened = within("open a file", session.read_file(path)).await.unwrap();
        let mut content = String::new();
        opened.file.read_to_string(&mut content).unwrap();
        assert_eq!(opened.path, Path::new(place));
        assert_eq!(content.rsplit('/').next(), place.rsplit('/').next());
    }
    for path in [".", "/mnt/data", "/mnt/workspace"] {
        let listing = session.list_directory(path).await.unwrap();
        assert_eq!((listing.path.as_path(), listing.entries.len()), (Path::new("/mnt/data"), 4), "{path}");
    }
    session.remove_file("/mnt/data/b").await.unwrap();
    assert!(session.read_file("/mnt/workspace/b").await.is_err());
    let mut names: Vec<_> = session.files().await.unwrap().into_iter().map(|file| file.path).collect();
    names.sort();
    assert_eq!(names, ["a", "c", "new", "new/d"].map(Path::new));
    // Nothing else in /mnt is anybody's to change.
    for path in ["/mnt/x", "/mnt/dat", "/mnt/data2/x"] {
        assert!(write(path).await.is_err(), "{path}");
    }
    for path in ["/mnt/workspace", "/mnt/data", "/mnt"] {
        assert!(session.remove_file(path).await.is_err(), "{path}");
    }
    assert_eq!(
        print(&session, "import os; print(sorted(os.listdir('/mnt')))").await,
        "['data', 'node_modules', 'workspace']\n"
    );
    session.stop().await.unwrap();
}

/// Whatever can be tried with what is above a workspace, and what its mount forbids.
const ABOVE: &str = r"
import ctypes, errno, os, stat
mounts = {line.split()[4]: line.split()[5].split(',') for line in open('/proc/self/mountinfo')}
assert {'nosuid', 'nodev', 'noexec', 'ro'} <= set(mounts['/mnt']), mounts['/mnt']
assert {'nosuid', 'nodev', 'rw'} <= set(mounts['/mnt/data']) and 'noexec' not in mounts['/mnt/data'], mounts['/mnt/data']
writable = sorted(path for path, options in mounts.items() if 'ro' not in options and not path.startswith('/dev/'))
assert writable == ['/home/user', '/mnt/data', '/proc', '/tmp'], writable
libc = ctypes.CDLL(None, use_errno=True)
def call(function, *arguments):
    if function(*arguments) != 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
attempts = {
    'a file': lambda: open('/mnt/x', 'w'),
    'a directory': lambda: os.mkdir('/mnt/x'),
    'a link': lambda: os.symlink('/etc', '/mnt/x'),
    'a nameless file': lambda: os.open('/mnt', os.O_TMPFILE | os.O_RDWR),
    'the link goes': lambda: os.remove('/mnt/workspace'),
    'the link is another': lambda: os.rename('/mnt/data/mine', '/mnt/workspace'),
    'the place goes': lambda: os.rmdir('/mnt/data'),
    'the place moves': lambda: os.rename('/mnt/data', '/mnt/other'),
    'what is above opens': lambda: os.chmod('/mnt', 0o777),
    'the link has another owner': lambda: os.lchown('/mnt/workspace', 1000, 1000),
    'the mount goes': lambda: call(libc.umount2, b'/mnt/data', 2),
    'the mount is writable': lambda: call(libc.mount, b'none', b'/mnt', None, 32 | 4096, None),
    'another mount': lambda: call(libc.mount, b'tmpfs', b'/mnt/data', b'tmpfs', 0, None),
    'a device': lambda: os.mknod('/mnt/data/null', 0o666 | stat.S_IFCHR, os.makedev(1, 3)),
}
open('/mnt/data/mine', 'w').close()
for name, attempt in attempts.items():
    try: done = attempt()
    except OSError as error: assert error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.EBUSY, errno.EXDEV), (name, error)
    else: raise AssertionError((name, done))
assert sorted(os.listdir('/mnt')) == ['data', 'node_modules', 'workspace'] and os.readlink('/mnt/workspace') == 'data'
print('as it should be')";

async fn nothing_above_it_can_be_changed(bench: &Bench) {
    let session = open(bench).await;
    assert_eq!(print(&session, ABOVE).await.trim(), "as it should be");
    run(&session, &format!("open('above.py', 'w').write({ABOVE:?})")).await.ok();
    let ran = shell(&session, "python above.py").await.ok();
    assert_eq!(ran.stdout().trim(), "as it should be");
    session.stop().await.unwrap();
}

async fn cells_side_by_side_have_each_their_own_place(bench: &Bench) {
    let (one, other, usual) =
        (open(bench).await, bench.session_at(Mount::new("/mnt/...").unwrap()).await, bench.session().await);
    let code = "import os; open('mine', 'w').close(); print(os.getcwd(), sorted(os.listdir('/mnt')), os.path.islink('/mnt/workspace'))";
    assert_eq!(print(&one, code).await, "/mnt/data ['data', 'node_modules', 'workspace'] True\n");
    assert_eq!(print(&other, code).await, "/mnt/... ['...', 'node_modules', 'workspace'] True\n");
    assert_eq!(print(&usual, code).await, "/mnt/workspace ['node_modules', 'workspace'] False\n");
    for session in [one, other, usual] {
        assert_eq!(session.files().await.unwrap().len(), 1);
        session.stop().await.unwrap();
    }
}

crate::state::with_both! {
    it_is_where_everything_works,
    its_files_are_reached_from_outside,
    nothing_above_it_can_be_changed,
    cells_side_by_side_have_each_their_own_place,
}
