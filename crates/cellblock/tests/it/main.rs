//! The program as people start it: what it prints, what it leaves, how it ends.
//!
//! What needs cells needs the environment `lean` as well: `CELLBLOCK_TEST_ENVIRONMENTS` names the directory that holds
//! it. Without one those tests are skipped, and say so; under `CI=true` they fail.

mod bench;
mod mcp;
mod messages;
mod run;
mod save;
mod scripts;
mod serve;
mod shell;
mod stops;
mod terminal;
mod v1;
