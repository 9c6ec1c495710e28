//! The launcher: a small static process that makes cells, and of which the init of every cell is a fork.

fn main() {
    launcher::serve();
}
