//! System V IPC and POSIX message queues. All of it ends at the cell's IPC namespace.

use super::{ALLOW, calls};
use crate::seccomp::rule::Entry;

/// Shared memory, semaphores, queues.
pub(super) static CALLS: &[Entry] = calls![ALLOW;
    SYS_shmget: "shared memory",
    SYS_shmat: "shared memory",
    SYS_shmdt: "shared memory",
    SYS_shmctl: "shared memory",
    SYS_semget: "semaphores",
    SYS_semop: "semaphores",
    SYS_semtimedop: "semaphores",
    SYS_semctl: "semaphores",
    SYS_msgget: "message queues",
    SYS_msgsnd: "message queues",
    SYS_msgrcv: "message queues",
    SYS_msgctl: "message queues",
    SYS_mq_open: "message queues, within RLIMIT_MSGQUEUE",
    SYS_mq_unlink: "message queues",
    SYS_mq_timedsend: "message queues",
    SYS_mq_timedreceive: "message queues",
    SYS_mq_notify: "message queues",
    SYS_mq_getsetattr: "message queues",
];
