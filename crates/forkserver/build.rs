//! Builds the helper that this crate embeds.

use native_build::{Kind, Piece};

fn main() {
    native_build::build(&Piece {
        package: "forkserver-helper",
        target: "cellblock_forkserver",
        kind: Kind::SharedLibrary,
        variable: "CELLBLOCK_FORKSERVER_HELPER",
        sources: &["crates/forkserver/helper", "crates/policy", "crates/protocol", "crates/sys"],
    });
}
