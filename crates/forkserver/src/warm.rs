//! What a forkserver knows before it is asked.

use policy::{ENVIRONMENT, RUNTIME};

/// What is imported and exercised before the first kernel is forked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WarmSet {
    /// The interpreter's shell only: `IPython`.
    Bare,
    /// numpy, pandas, and matplotlib with Agg as well.
    Data,
}

impl WarmSet {
    /// The name that `forkserver.py` knows it by.
    pub fn name(self) -> &'static str {
        match self {
            WarmSet::Bare => "bare",
            WarmSet::Data => "data",
        }
    }

    pub(crate) fn argv(self) -> [String; 6] {
        [
            format!("{ENVIRONMENT}/bin/python"),
            // Nothing of the environment variables, the working directory or a user's own modules.
            "-I".to_owned(),
            "-X".to_owned(),
            "utf8".to_owned(),
            format!("{RUNTIME}/cellblock_kernel/forkserver.py"),
            self.name().to_owned(),
        ]
    }
}

/// A forkserver's whole environment. Kernels get their cell's instead; here is what libraries read while they load.
pub(crate) fn variables() -> Vec<String> {
    [
        "LANG=C.UTF-8",
        "PATH=/opt/cellblock/env/bin:/usr/bin:/bin",
        "HOME=/tmp",
        "MPLBACKEND=Agg",
        "MPLCONFIGDIR=/tmp",
        // Each of these starts threads while it loads; a process with threads cannot be forked.
        "OMP_NUM_THREADS=1",
        "OPENBLAS_NUM_THREADS=1",
        "MKL_NUM_THREADS=1",
        "NUMEXPR_NUM_THREADS=1",
        "JE_ARROW_MALLOC_CONF=background_thread:false",
    ]
    .map(str::to_owned)
    .to_vec()
}
