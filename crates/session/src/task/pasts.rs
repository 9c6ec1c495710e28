//! What a session's task remembers of its kernels from call to call.

use environment::Runtime;
use protocol::KernelId;
use serde_json::Value;

/// The longest directory that is believed, bytes: Linux's own limit of a path.
const PATH: usize = 4096;

/// What is known of a kernel that a call no longer found.
const VANISHED: &str = "the one before it had ended";

/// The past of a session's kernels.
#[derive(Debug)]
pub(super) struct Pasts {
    /// By [`Runtime`].
    by: [Past; Runtime::ALL.len()],
    /// The kernel that ran code last.
    last: KernelId,
    /// Where that code left off, if it said so.
    directory: Option<(Runtime, String)>,
}

#[derive(Debug)]
struct Past {
    /// The kernel that ran this runtime's last code.
    kernel: KernelId,
    /// Why the variables of earlier calls are gone, until the next call has been told.
    lost: Option<String>,
}

impl Past {
    fn vanished(&self, kernel: KernelId) -> bool {
        self.kernel == kernel && self.lost.as_deref() == Some(VANISHED)
    }
}

impl Pasts {
    pub(super) fn new() -> Pasts {
        Pasts {
            by: Runtime::ALL.map(|_| Past { kernel: KernelId::NONE, lost: None }),
            last: KernelId::NONE,
            directory: None,
        }
    }

    /// The kernel that ran code last.
    pub(super) fn last(&self) -> KernelId {
        self.last
    }

    /// The kernel that ran this runtime's last code.
    pub(super) fn last_of(&self, runtime: Runtime) -> KernelId {
        self.by[runtime as usize].kernel
    }

    /// Code is about to run in this kernel: whether it is a new one, and why what an earlier one held is gone.
    pub(super) fn enter(&mut self, runtime: Runtime, kernel: KernelId) -> (bool, Option<String>) {
        let past = &mut self.by[runtime as usize];
        self.last = kernel;
        let fresh = std::mem::replace(&mut past.kernel, kernel) != kernel;
        (fresh, past.lost.take())
    }

    /// What this runtime's kernel held is gone, for this reason.
    pub(super) fn lose(&mut self, runtime: Runtime, reason: impl Into<String>) {
        self.by[runtime as usize].lost = Some(reason.into());
    }

    /// As [`Pasts::lose`], unless there is a reason already.
    pub(super) fn lose_if_kept(&mut self, runtime: Runtime, reason: &str) {
        self.by[runtime as usize].lost.get_or_insert_with(|| reason.to_owned());
    }

    /// This kernel has gone before its call reached it; why is told later, if ever ([`Pasts::explain`]).
    pub(super) fn vanished(&mut self, runtime: Runtime) {
        self.lose_if_kept(runtime, VANISHED);
    }

    /// Whether a call no longer found this kernel, and nobody has said why.
    pub(super) fn has_vanished(&self, kernel: KernelId) -> bool {
        self.by.iter().any(|past| past.vanished(kernel))
    }

    /// Why a kernel has vanished: told in place of the little that was known.
    pub(super) fn explain(&mut self, kernel: KernelId, reason: &str) {
        for past in self.by.iter_mut().filter(|past| past.vanished(kernel)) {
            past.lost = Some(reason.to_owned());
        }
    }

    /// Code has ended in this directory.
    pub(super) fn left_off(&mut self, runtime: Runtime, directory: Option<&str>) {
        if let Some(directory) = directory.filter(|path| path.starts_with('/') && path.len() <= PATH) {
            self.directory = Some((runtime, directory.to_owned()));
        }
    }

    /// Has code of this runtime begin where that of another one left off: they share one working directory.
    pub(super) fn send_there(&self, runtime: Runtime, call: &mut Value) {
        if let Some((other, directory)) = &self.directory
            && *other != runtime
        {
            call["cwd"] = directory.as_str().into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: KernelId = KernelId(1);
    const SECOND: KernelId = KernelId(2);

    #[test]
    fn each_runtime_has_a_past_of_its_own() {
        let mut kernels = Pasts::new();
        assert_eq!(kernels.enter(Runtime::Python, FIRST), (true, None));
        assert_eq!(kernels.enter(Runtime::Node, SECOND), (true, None));
        kernels.lose(Runtime::Python, "it was killed");
        kernels.lose_if_kept(Runtime::Python, "it had ended");
        assert_eq!(kernels.enter(Runtime::Node, SECOND), (false, None));
        assert_eq!(kernels.enter(Runtime::Python, KernelId(3)), (true, Some("it was killed".to_owned())));
        assert_eq!(kernels.enter(Runtime::Python, KernelId(3)), (false, None));
        assert_eq!((kernels.last(), kernels.last_of(Runtime::Node)), (KernelId(3), SECOND));
    }

    #[test]
    fn why_one_has_vanished_is_told_if_it_comes_in_time() {
        let mut kernels = Pasts::new();
        kernels.enter(Runtime::Python, FIRST);
        kernels.explain(FIRST, "nobody asked");
        kernels.vanished(Runtime::Python);
        kernels.explain(SECOND, "another");
        assert!(kernels.has_vanished(FIRST) && !kernels.has_vanished(SECOND));
        kernels.explain(FIRST, "it was killed");
        kernels.explain(FIRST, "no more");
        assert!(!kernels.has_vanished(FIRST));
        assert_eq!(kernels.enter(Runtime::Python, SECOND), (true, Some("it was killed".to_owned())));
    }

    #[test]
    fn one_begins_where_another_left_off() {
        let mut kernels = Pasts::new();
        let sent = |kernels: &Pasts, runtime| {
            let mut call = serde_json::json!({});
            kernels.send_there(runtime, &mut call);
            call["cwd"].as_str().map(str::to_owned)
        };
        assert_eq!(sent(&kernels, Runtime::Python), None);
        kernels.left_off(Runtime::Node, Some("/mnt/workspace/deep"));
        assert_eq!(sent(&kernels, Runtime::Node), None);
        assert_eq!(sent(&kernels, Runtime::Python).unwrap(), "/mnt/workspace/deep");
        for strange in [None, Some("relative"), Some(""), Some(&*format!("/{}", "x".repeat(PATH)))] {
            kernels.left_off(Runtime::Python, strange);
            assert_eq!(sent(&kernels, Runtime::Deno).unwrap(), "/mnt/workspace/deep");
        }
    }
}
