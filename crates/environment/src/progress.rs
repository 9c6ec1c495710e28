//! What an install tells while it goes on.

/// The steps of an install, in the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Another process is installing into the same directory; we wait for it to end.
    Waiting,
    /// Looking for an interpreter to build on.
    Python,
    /// Finding or fetching uv.
    Installer,
    /// Copying the interpreter and its standard library.
    Interpreter,
    /// Fetching the packages; [`Progress::fetching`] tells how far it is.
    Fetching,
    /// Laying out the packages that were fetched.
    Installing,
    /// Fetching and laying out the JavaScript libraries.
    Libraries,
    /// Compiling every module to bytecode; [`Progress::compiling`] tells how far it is.
    Compiling,
    /// Running what was installed.
    Checking,
    /// Making it durable and giving it its name.
    Storing,
}

impl Stage {
    /// What is being done, as a person reads it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Waiting => "waiting for another install to end",
            Self::Python => "looking for Python",
            Self::Installer => "getting uv",
            Self::Interpreter => "copying Python",
            Self::Fetching => "fetching packages",
            Self::Installing => "installing packages",
            Self::Libraries => "installing JavaScript libraries",
            Self::Compiling => "compiling to bytecode",
            Self::Checking => "checking",
            Self::Storing => "storing",
        }
    }
}

/// How far the fetching of packages is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetching {
    /// Packages that are here already.
    pub packages_done: usize,
    /// Packages in the lock.
    pub packages_total: usize,
    /// Bytes of the wheels that are here already, and an estimate for those on their way. Never falls.
    pub bytes_done: u64,
    /// Bytes of all wheels, as the lock tells them.
    pub bytes_total: u64,
    /// What is on its way now: names and sizes in bytes, largest first.
    pub current: Vec<(String, u64)>,
}

/// Somebody who wants to know how far an install is. Every method may do nothing.
pub trait Progress {
    /// The next step has begun.
    fn stage(&mut self, stage: Stage) {
        let _ = stage;
    }
    /// A package came, or another one is on its way.
    fn fetching(&mut self, fetching: &Fetching) {
        let _ = fetching;
    }
    /// Of `total` modules, `done` are compiled.
    fn compiling(&mut self, done: usize, total: usize) {
        let _ = (done, total);
    }
}

/// Tells nobody.
impl Progress for () {}
