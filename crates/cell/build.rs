//! Builds the launcher, which this crate embeds.

use native_build::{Kind, Piece, build};

fn main() {
    build(&Piece {
        package: "launcher",
        target: "launcher",
        kind: Kind::StaticProgram,
        variable: "CELLBLOCK_LAUNCHER",
        sources: &["crates/cell/launcher", "crates/policy", "crates/protocol", "crates/sys"],
    });
}
