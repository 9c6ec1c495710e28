//! Cgroups: against a kernel made of plain files, and against the real one.

pub(super) mod fake;
mod finding;
mod live;
mod version_one;
mod version_two;
