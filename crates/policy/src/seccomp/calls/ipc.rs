//! System V IPC and POSIX message queues. All of it ends at the cell's IPC namespace.

use super::{ALLOW, NOT_IMPLEMENTED, calls};
use crate::seccomp::rule::Entry;

/// Shared memory and semaphores.
pub(super) static CALLS: &[Entry] = calls![ALLOW;
    SYS_shmget: "shared memory",
    SYS_shmat: "shared memory",
    SYS_shmdt: "shared memory",
    SYS_shmctl: "shared memory",
    SYS_semget: "semaphores",
    SYS_semop: "semaphores",
    SYS_semtimedop: "semaphores",
    SYS_semctl: "semaphores",
];

/// Messages are kept in the kernel's heap, in any number and of any size that their sender likes: what attacks on the
/// kernel are shaped with. Nothing in an environment asks for them.
pub(super) static QUEUES: &[Entry] = calls![NOT_IMPLEMENTED;
    SYS_msgget: "message queues shape the kernel's heap for attacks; nothing asks for them",
    SYS_msgsnd: "see msgget",
    SYS_msgrcv: "see msgget",
    SYS_msgctl: "see msgget",
    SYS_mq_open: "see msgget",
    SYS_mq_unlink: "see msgget",
    SYS_mq_timedsend: "see msgget",
    SYS_mq_timedreceive: "see msgget",
    SYS_mq_notify: "see msgget",
    SYS_mq_getsetattr: "see msgget",
];
