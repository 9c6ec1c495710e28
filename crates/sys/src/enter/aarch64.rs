//! The three functions that Rust has no words for, on aarch64.

use std::arch::naked_asm;
use std::os::fd::RawFd;

use super::{Passage, parent, usher};

/// Remembers its frame, and makes the usher, which goes on below it. Gives the usher's id or a negative error number,
/// and gives it when the usher has ended; in the kernel process, 0.
///
/// # Safety
///
/// The passage is whole, and the process has one thread.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn depart(passage: *const Passage) -> libc::c_long {
    naked_asm!(
        "stp x29, x30, [sp, #-160]!",
        "stp x19, x20, [sp, #16]",
        "stp x21, x22, [sp, #32]",
        "stp x23, x24, [sp, #48]",
        "stp x25, x26, [sp, #64]",
        "stp x27, x28, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "mov x9, sp",
        "str x9, [x0]",
        "mov x19, x0",
        "mov x0, #{flags}",
        "mov x1, xzr",
        "mov x2, xzr",
        "mov x3, xzr",
        "mov x4, xzr",
        "mov x8, #{clone}",
        "svc #0",
        "cbnz x0, 2f",
        "mov x0, x19",
        "bl {usher}",
        "brk #1",
        "2:",
        // The kernel keeps all of them but x0; only x19 was ours.
        "ldr x19, [sp, #16]",
        "ldp x29, x30, [sp], #160",
        "ret",
        flags = const libc::CLONE_VM | libc::CLONE_VFORK,
        clone = const libc::SYS_clone,
        usher = sym usher,
    )
}

/// Returns 0 from [`depart`], in the kernel process.
///
/// # Safety
///
/// Only in a process that was forked while the caller of `depart` was suspended in it.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn resume(passage: *const Passage) -> ! {
    naked_asm!(
        "ldr x9, [x0]",
        "mov sp, x9",
        "mov x0, xzr",
        "ldp x19, x20, [sp, #16]",
        "ldp x21, x22, [sp, #32]",
        "ldp x23, x24, [sp, #48]",
        "ldp x25, x26, [sp, #64]",
        "ldp x27, x28, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "ldp x29, x30, [sp], #160",
        "ret",
    )
}

/// Makes the parent, on a stack of its own. Gives its id, or a negative error number.
///
/// # Safety
///
/// `stack` is the aligned upper end of memory that nobody else uses while the parent lives.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn spawn_parent(
    passage: *const Passage,
    stack: *mut u8,
    pidfd: *mut RawFd,
) -> libc::c_long {
    naked_asm!(
        "mov x9, x0",
        "mov x0, #{flags}",
        "mov x3, xzr",
        "mov x4, xzr",
        "mov x8, #{clone}",
        "svc #0",
        "cbnz x0, 2f",
        "mov x29, xzr",
        "mov x30, xzr",
        "mov x0, x9",
        "bl {parent}",
        "brk #1",
        "2:",
        "ret",
        flags = const libc::CLONE_VM | libc::CLONE_PIDFD,
        clone = const libc::SYS_clone,
        parent = sym parent,
    )
}
