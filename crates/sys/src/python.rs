//! Being called from Python through ctypes, and forking it.

use std::marker::PhantomData;

/// Proof that the calling thread is one of Python's, and holds the interpreter.
///
/// Only [`python_function!`](crate::python_function) makes one.
#[derive(Debug)]
pub struct Attached(PhantomData<*mut ()>);

impl Attached {
    /// Takes the caller's word.
    ///
    /// # Safety
    ///
    /// The calling thread holds the interpreter, and goes on to do so as long as this is alive.
    #[doc(hidden)]
    pub unsafe fn promised() -> Attached {
        Attached(PhantomData)
    }

    /// What the interpreter wants done around a fork; `None` if this process is not `CPython`.
    pub fn around_fork(&self) -> Option<AroundFork<'_>> {
        Some(AroundFork {
            before: symbol(c"PyOS_BeforeFork")?,
            in_parent: symbol(c"PyOS_AfterFork_Parent")?,
            in_child: symbol(c"PyOS_AfterFork_Child")?,
            attached: PhantomData,
        })
    }
}

type Hook = unsafe extern "C" fn();

fn symbol(name: &std::ffi::CStr) -> Option<Hook> {
    // SAFETY: a symbol is looked up by a name that is alive; if there is one, it is CPython's function of that name,
    // which takes and gives nothing.
    unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr());
        (!found.is_null()).then(|| std::mem::transmute::<*mut libc::c_void, Hook>(found))
    }
}

/// The three calls that `CPython` wants around a fork. They take and free the interpreter's locks, and run what
/// `os.register_at_fork` was told to run, so each fork has exactly one of the latter two for one of the first.
#[derive(Debug, Clone, Copy)]
pub struct AroundFork<'a> {
    before: Hook,
    in_parent: Hook,
    in_child: Hook,
    attached: PhantomData<&'a Attached>,
}

impl AroundFork<'_> {
    /// Before the fork.
    pub fn before(&self) {
        // SAFETY: this thread holds the interpreter: there is an `Attached`.
        unsafe { (self.before)() }
    }

    /// After it, in the process that was there before, also when no other came of it.
    pub fn in_parent(&self) {
        // SAFETY: as for `before`.
        unsafe { (self.in_parent)() }
    }

    /// After it, in the new process.
    pub fn in_child(&self) {
        // SAFETY: as for `before`.
        unsafe { (self.in_child)() }
    }
}

/// Defines a function that Python calls through `ctypes.PyDLL`, which holds on to the interpreter. The first parameter
/// is an [`Attached`](crate::python::Attached), and not Python's business.
#[macro_export]
macro_rules! python_function {
    ($(#[$doc:meta])* fn $name:ident($attached:ident $(, $arg:ident: $ty:ty)*) -> $result:ty $body:block) => {
        $(#[$doc])*
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($($arg: $ty),*) -> $result {
            // SAFETY: called through PyDLL, see above; the reference does not outlive the call.
            let attached = unsafe { $crate::python::Attached::promised() };
            let $attached = &attached;
            $body
        }
    };
}
