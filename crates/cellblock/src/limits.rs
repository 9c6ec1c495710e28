//! What a cell may use, as the command line says it.

use std::time::Duration;

use clap::Args;
use session::Limits;

/// The options of whoever opens one session.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct CellLimits {
    /// Memory of all processes in the cell together, MiB
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 4096,
        env = "CELLBLOCK_LIMITS_MEMORY_MIB",
        hide_env_values = true
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(32..=1 << 24))]
    memory: u64,
    /// What it may keep on disk, and what of it is saved at most, MiB
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 10240,
        env = "CELLBLOCK_LIMITS_DISK_MIB",
        hide_env_values = true
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1 << 34))]
    disk: u64,
    /// Processors' worth of time
    #[arg(
        long,
        value_name = "N",
        default_value_t = 2,
        env = "CELLBLOCK_LIMITS_CPUS",
        hide_env_values = true
    )]
    #[arg(value_parser = cpus)]
    cpus: u32,
}

impl CellLimits {
    /// What it may keep on disk, bytes.
    pub(crate) fn disk(self) -> u64 {
        self.disk << 20
    }

    /// The limits of a session whose calls may take so long.
    pub(crate) fn of_calls(self, timeout: Duration) -> Limits {
        Limits {
            cpus: self.cpus,
            memory: self.memory << 20,
            disk: self.disk(),
            call_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
            ..Limits::default()
        }
    }
}

fn cpus(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(count @ 1..=4096) => Ok(count),
        _ => Err("it is a whole number of processors, 1 to 4096".to_owned()),
    }
}
