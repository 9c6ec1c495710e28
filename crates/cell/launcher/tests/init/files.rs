//! Files: found, judged, opened and handed over; and where commands start.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use protocol::{
    FileDone, FileFailure, FileOperation, FileReply, FileRequest, FileStep, Frame, KernelId, Kind, Spawn,
};

use crate::harness::{Cell, Daemon, Options, call, own_uid, text, until};

/// Asks, and takes the descriptor that comes with what was done.
fn ask(
    daemon: &mut Daemon,
    kernel: u32,
    operation: FileOperation,
    path: &Path,
) -> Result<(FileDone, OwnedFd), FileFailure> {
    let request = FileRequest { operation, path: path.as_os_str().as_bytes().to_vec() };
    daemon.send(Frame::new(Kind::File, request.encode()).kernel(KernelId(kernel)).call(call(77)));
    let frame = daemon.expect(Kind::FileReply);
    assert_eq!((frame.kernel, frame.call), (KernelId(kernel), call(77)));
    match FileReply::decode(&frame.payload).unwrap() {
        FileReply::Done(done) => Ok((done, daemon.take_descriptors(1).remove(0))),
        FileReply::Failed(failure) => Err(failure),
    }
}

fn read(daemon: &mut Daemon, path: &Path) -> Result<String, FileFailure> {
    let (done, descriptor) = ask(daemon, 0, FileOperation::Read, path)?;
    assert_eq!(done.path, fs::canonicalize(path).unwrap().as_os_str().as_bytes());
    let mut content = String::new();
    fs::File::from(descriptor).read_to_string(&mut content).unwrap();
    Ok(content)
}

#[test]
fn what_is_asked_for_is_handed_over() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    let path = cell.directory.path().join("made/below/file");
    let (done, descriptor) = ask(&mut daemon, 0, FileOperation::Write, &path).unwrap();
    assert!(done.created && !done.from_workspace);
    fs::File::from(descriptor).write_all(b"content").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    // What it holds is the daemon's to cut.
    assert!(!ask(&mut daemon, 0, FileOperation::Write, &path).unwrap().0.created);
    assert_eq!(read(&mut daemon, &path).unwrap(), "content");
    assert!(ask(&mut daemon, 0, FileOperation::List, path.parent().unwrap()).is_ok());
    let (_, handle) = ask(&mut daemon, 0, FileOperation::Remove, &path).unwrap();
    assert_eq!(sys::inside::look(&handle).unwrap().names, 0);
    let failure = read(&mut daemon, &path).unwrap_err();
    assert_eq!(failure, FileFailure { step: FileStep::Find, errno: 2 });
}

#[test]
fn inits_own_memory_is_no_file() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    let link = cell.directory.path().join("link");
    let failure = |step, errno| FileFailure { step, errno };
    for (target, expected) in [
        ("/proc/self/mem", failure(FileStep::FileSystem, 1)),
        ("/proc/self/environ", failure(FileStep::FileSystem, 1)),
        ("/proc/self/fd/0", failure(FileStep::Find, 40)),
        ("/proc/self/exe", failure(FileStep::Find, 40)),
        ("/proc/self/root/etc/passwd", failure(FileStep::Find, 40)),
        ("/dev/null", failure(FileStep::Kind, 6)),
        ("/etc", failure(FileStep::Kind, 21)),
    ] {
        let _ = fs::remove_file(&link);
        symlink(target, &link).unwrap();
        for path in [Path::new(target), &link] {
            assert_eq!(read(&mut daemon, path), Err(expected), "{target}");
            let written = ask(&mut daemon, 0, FileOperation::Write, path).map(|(done, _)| done);
            assert_eq!(written, Err(expected), "{target}");
        }
    }
}

#[test]
fn no_descriptor_stays_with_init() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    let path = cell.directory.path().join("file");
    let before = cell.descriptors();
    for n in 0..200 {
        for operation in FileOperation::ALL {
            // From the third on it is missing or made anew.
            let _ = ask(&mut daemon, n % 3, *operation, &path);
        }
        let _ = ask(&mut daemon, 0, FileOperation::Read, Path::new("/proc/self/mem"));
    }
    // The last one is let go of when the answer is out.
    until("all are closed", || cell.descriptors() == before);
}

#[test]
fn a_command_starts_where_a_kernel_works() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    let place = fs::canonicalize(cell.directory.path()).unwrap().join("place");
    fs::create_dir(&place).unwrap();
    daemon.run(1, 1, &format!("import os; os.chdir({place:?})"));
    let argv = ["/bin/sh", "-c", "pwd"].map(str::to_owned).to_vec();
    let spawn = Spawn { argv, env: Vec::new(), cwd: "/usr".to_owned() };
    let mut pwd = |number, kernel| {
        let frame = Frame::new(Kind::StartCommand, spawn.encode()).call(call(number));
        daemon.send(frame.kernel(KernelId(kernel)));
        text(&daemon.until_end(), Kind::Stdout)
    };
    let there = format!("{}\n", place.display());
    assert_eq!([pwd(2, 1), pwd(3, 0), pwd(4, 9)], [there, "/usr\n".to_owned(), "/usr\n".to_owned()]);
    fs::remove_dir(&place).unwrap();
    assert_eq!(pwd(5, 1), "/usr\n");
}

#[test]
fn an_init_with_an_id_of_its_own_acts_as_the_user() {
    if own_uid() != 0 {
        eprintln!("SKIPPED: only root can give init an id of its own");
        return;
    }
    let program = Command::new(env!("CARGO_BIN_EXE_init-alone"));
    let cell = Cell::from(program, Options::default(), &["54321", "54322", "other"]);
    let mut daemon = cell.connect();
    let directory = cell.directory.path();
    let path = directory.join("new/file");
    let denied = |step| FileFailure { step, errno: 13 };
    // The directory is root's, and so is not the user's to write in, though init could.
    let failure = ask(&mut daemon, 0, FileOperation::Write, &path).unwrap_err();
    assert!([denied(FileStep::Find), denied(FileStep::Parent)].contains(&failure), "{failure:?}");
    fs::set_permissions(directory, fs::Permissions::from_mode(0o777)).unwrap();
    ask(&mut daemon, 0, FileOperation::Write, &path).unwrap();
    for made in [&path, path.parent().unwrap()] {
        let made = fs::metadata(made).unwrap();
        assert_eq!((made.uid(), made.gid()), (54_321, 54_322));
    }
    let secret = directory.join("secret");
    fs::write(&secret, "root's").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(read(&mut daemon, &secret), Err(denied(FileStep::Open)));
    // And is itself again.
    let ids = fs::read_to_string(format!("/proc/{}/status", cell.pid())).unwrap();
    assert!(ids.contains("Uid:\t0\t0\t0\t0\n") && ids.contains("Gid:\t0\t0\t0\t0\n"), "{ids}");
}
