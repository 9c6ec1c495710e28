//! The three functions that Rust has no words for, on `x86_64`.

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
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi], rsp",
        "sub rsp, 8",
        "mov r12, rdi",
        "mov edi, {flags}",
        "xor esi, esi",
        "xor edx, edx",
        "xor r10d, r10d",
        "xor r8d, r8d",
        "mov eax, {clone}",
        "syscall",
        "test rax, rax",
        "jnz 2f",
        "mov rdi, r12",
        "call {usher}",
        "ud2",
        "2:",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
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
        "mov rsp, [rdi]",
        "xor eax, eax",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
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
        "mov r9, rdi",
        "mov edi, {flags}",
        "xor r10d, r10d",
        "xor r8d, r8d",
        "mov eax, {clone}",
        "syscall",
        "test rax, rax",
        "jnz 2f",
        "xor ebp, ebp",
        "mov rdi, r9",
        "call {parent}",
        "ud2",
        "2:",
        "ret",
        flags = const libc::CLONE_VM | libc::CLONE_PIDFD,
        clone = const libc::SYS_clone,
        parent = sym parent,
    )
}
