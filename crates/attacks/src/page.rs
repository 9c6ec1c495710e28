//! The page that lists the attacks, `docs/attacks.md`, made of what they say of themselves.

use std::fmt::Write as _;

use crate::attack;
use crate::layers::{self, LAYERS};

const HEAD: &str = "\
# Attacks

This page is made from `crates/attacks/programs`; a test keeps it true. Each line is a small program that goes for a decoy
planted for it. It succeeds with no layer of the wall, fails behind each of the named layers *alone*, and fails in a cell:
`cargo nextest run -p attacks --no-capture` shows it on this machine, with what could not be tried here and why.

Whether it succeeded is told by the decoy. Where there is nothing to plant, as for a call that gives power over the
kernel, the program has a word, which it says when it has used what it was given.

A layer with a star stops it where cellblock runs as root, since only there a cell has an id of its own on the host.
";

/// The page.
pub fn page() -> String {
    let attacks = attack::all();
    let mut page = HEAD.to_owned();
    page.push_str(
        "\n## The layers\n\n| layer | what it is | attacks that it stops alone |\n| --- | --- | --- |\n",
    );
    for (name, layer, what) in LAYERS {
        let count = attacks.iter().filter(|attack| attack.layers(true).contains(layer)).count();
        let _ = writeln!(page, "| `{name}` | {what} | {count} |");
    }
    let mut topic = "";
    for attack in &attacks {
        if attack.topic != topic {
            topic = &attack.topic;
            let _ = writeln!(
                page,
                "\n## On {topic}\n\n| attack | decoy | stopped alone by |\n| --- | --- | --- |"
            );
        }
        let always = attack.stopped_by.iter().map(|layer| format!("`{}`", layers::name(*layer)));
        let as_root = attack.as_root.iter().map(|layer| format!("`{}`\\*", layers::name(*layer)));
        let layers: Vec<String> = always.chain(as_root).collect();
        let _ = writeln!(
            page,
            "| {} | {} | {} |",
            attack.tries,
            attack.decoy.replace('_', " "),
            layers.join(", ")
        );
    }
    page
}
