//! Sessions as their clients have them, in real cells with a real environment: how they behave, how calls end, what
//! they survive, what they keep apart, what gets out of them (nothing), and what is left of them (nothing).
//!
//! They need the environment `lean`; without one they say `SKIPPED` and why, and under `CI=true` they fail. They run
//! as root and as an ordinary user, where some limits are soft.

mod attacks;
mod engine;
mod files;
mod javascript;
mod kit;
mod layers;
mod leftovers;
mod machine;
mod mount;
mod network;
mod outcomes;
mod questions;
mod side_by_side;
mod state;
mod survival;
mod workspace;
