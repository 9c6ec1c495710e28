//! Init as an ordinary process, for tests: `init-alone LINGER_MS SOFT_MEMORY|- UID GID same|other`, with the listener as
//! standard input, behind the system-call filter of a cell.

use std::os::fd::AsFd;

use launcher::init::{Setup, run};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [linger, memory, uid, gid, identity] = arguments.as_slice() else {
        panic!("five arguments: {arguments:?}");
    };
    sys::privilege::no_new_privileges().unwrap();
    for filter in policy::seccomp::programs() {
        sys::privilege::install_filter(&filter.encode()).unwrap();
    }
    run(Setup {
        listener: std::io::stdin().as_fd().try_clone_to_owned().unwrap(),
        linger_ms: linger.parse().unwrap(),
        user: (uid.parse().unwrap(), gid.parse().unwrap()),
        own_uid_is_user: identity == "same",
        soft_memory: memory.parse().ok(),
        landlock: None,
    })
}
