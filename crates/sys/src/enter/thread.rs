//! What belongs to a thread, and does not come through usher and parent by itself.

/// The caller's signal mask, and the stack that its signal handlers use.
pub(super) struct Signals {
    mask: libc::sigset_t,
    alternate_stack: libc::stack_t,
}

impl Signals {
    pub(super) fn block() -> Signals {
        // SAFETY: both are valid as zeros, alive, and filled by the calls.
        unsafe {
            let mut signals: Signals = std::mem::zeroed();
            let mut all: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const all, &raw mut signals.mask);
            libc::sigaltstack(std::ptr::null(), &raw mut signals.alternate_stack);
            signals
        }
    }

    pub(super) fn restore(&self) {
        set_mask(&self.mask);
    }

    /// The kernel takes it away from a process that shares its memory, so the parent had none to pass on.
    pub(super) fn keep_alternate_stack(&self) {
        // SAFETY: it was this process's before the fork, in memory that has been copied.
        unsafe { libc::sigaltstack(&raw const self.alternate_stack, std::ptr::null_mut()) };
    }
}

pub(super) fn empty_mask() -> libc::sigset_t {
    // SAFETY: a signal set of zeros is valid, alive, and filled by the call.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        none
    }
}

pub(super) fn set_mask(mask: &libc::sigset_t) {
    // SAFETY: the mask is alive, and the old one is not asked for.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, mask, std::ptr::null_mut()) };
}

/// Registers this thread's area for restartable sequences again.
///
/// The kernel forgets it for a process that shares its memory, so the parent had none to pass on; the C library
/// believes that there still is one, and would read the caller's processor number from it for ever.
pub(super) fn register_rseq() {
    const UNREGISTERED: u32 = -2_i32 as u32;
    const LEN: usize = 32; // of the first version of the area; every later one is at least as long
    #[cfg(target_arch = "x86_64")]
    const SIGNATURE: u32 = 0x5305_3053;
    #[cfg(target_arch = "aarch64")]
    const SIGNATURE: u32 = 0xd428_bc00;

    // SAFETY: where glibc exports these two names they are a ptrdiff_t and an unsigned int, set once at start; the
    // first is the distance from the thread pointer to this thread's area, if the second is not 0. The area's second
    // word is the processor number, or negative if it is not registered.
    unsafe {
        let offset = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()).cast::<isize>();
        let size = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_size".as_ptr()).cast::<u32>();
        if offset.is_null() || size.is_null() || *size == 0 {
            return;
        }
        let area = thread_pointer().byte_offset(*offset);
        let processor = area.add(1);
        if processor.read_volatile().cast_signed() < 0 {
            return;
        }
        if libc::syscall(libc::SYS_rseq, area, LEN, 0, SIGNATURE) < 0 {
            processor.write_volatile(UNREGISTERED);
        }
    }
}

fn thread_pointer() -> *mut u32 {
    let pointer: *mut u32;
    // SAFETY: reads where the thread's own memory is, as the ABI defines it.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!("mov {}, fs:0", out(reg) pointer, options(nostack, preserves_flags, readonly));
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!("mrs {}, tpidr_el0", out(reg) pointer, options(nostack, preserves_flags, nomem));
    }
    pointer
}
