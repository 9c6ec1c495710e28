//! `cellblock doctor`: which walls stand here.

use std::io::{IsTerminal, Write};

use cell::{Layer, State};
use serde::Serialize;

use crate::cli::Doctor;

/// Tells which layers hold here. 0 if a cell can be made, else 1.
pub(crate) fn doctor(options: &Doctor) -> anyhow::Result<u8> {
    let layers = tried()?;
    let text = if options.json {
        let told: Vec<Told> = layers.iter().map(Told::from).collect();
        serde_json::to_string_pretty(&told)? + "\n"
    } else {
        let width = if std::io::stdout().is_terminal() { 100 } else { usize::MAX };
        table(&layers, width)
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(u8::from(layers.iter().any(|layer| layer.state == State::Missing)))
}

/// Tries the layers in a directory that is gone afterwards.
fn tried() -> anyhow::Result<Vec<Layer>> {
    // Cells of an ordinary user are made below any directory that the launcher may enter.
    let scratch = std::env::temp_dir().join(format!("cellblock-doctor-{}", std::process::id()));
    std::fs::create_dir(&scratch)?;
    let layers = cell::layers(&scratch);
    let _ = std::fs::remove_dir_all(&scratch);
    Ok(layers)
}

#[derive(Serialize)]
struct Told<'a> {
    layer: &'a str,
    state: &'static str,
    detail: &'a str,
    consequence: &'a str,
    remedy: &'a str,
}

impl<'a> From<&'a Layer> for Told<'a> {
    fn from(layer: &'a Layer) -> Told<'a> {
        Told {
            layer: layer.name,
            state: word(layer.state),
            detail: &layer.detail,
            consequence: &layer.consequence,
            remedy: &layer.remedy,
        }
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Hard => "hard",
        State::Soft => "soft",
        State::Missing => "missing",
    }
}

/// A line per layer, and what there is to say about one that is not hard below it.
fn table(layers: &[Layer], width: usize) -> String {
    let name = layers.iter().map(|layer| layer.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for layer in layers {
        let first = format!("{:name$}  {:7}  ", layer.name, word(layer.state));
        let indent = " ".repeat(first.len());
        let mut say = |prefix: &str, what: &str, words: &str| {
            if !words.is_empty() {
                text.push_str(&wrapped(prefix, &indent, &format!("{what}{words}"), width));
            }
        };
        say(&first, "", &layer.detail);
        say(&indent, "so: ", &layer.consequence);
        say(&indent, "remedy: ", &layer.remedy);
    }
    let count = |state| layers.iter().filter(|layer| layer.state == state).count();
    let (hard, soft, missing) = (count(State::Hard), count(State::Soft), count(State::Missing));
    let summary = match missing {
        0 => format!("\nCells can be made here; of their walls {hard} are hard, {soft} soft.\n"),
        _ => "\nNo cell can be made here.\n".to_owned(),
    };
    text + &summary
}

/// Words in lines of at most this many characters, the first after `prefix`, the others after `indent`.
fn wrapped(prefix: &str, indent: &str, words: &str, width: usize) -> String {
    let mut text = prefix.to_owned();
    let mut column = prefix.len();
    for word in words.split(' ') {
        let length = word.chars().count();
        if column > indent.len() && column + 1 + length > width {
            text.push('\n');
            text.push_str(indent);
            column = indent.len();
        } else if column > indent.len() {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(name: &'static str, state: State, words: [&str; 3]) -> Layer {
        let [detail, consequence, remedy] = words.map(str::to_owned);
        Layer { name, state, detail, consequence, remedy }
    }

    #[test]
    fn what_does_not_hold_is_told_with_its_consequence_and_remedy() {
        let layers = [
            layer("namespaces", State::Hard, ["its own", "", ""]),
            layer(
                "memory",
                State::Soft,
                ["no cgroup is delegated", "init watches", "start it as a systemd service"],
            ),
        ];
        insta::assert_snapshot!(table(&layers, 44), @r"
        namespaces  hard     its own
        memory      soft     no cgroup is delegated
                             so: init watches
                             remedy: start it as a
                             systemd service

        Cells can be made here; of their walls 1 are hard, 1 soft.
        ");
    }

    #[test]
    fn a_machine_without_cells_is_told_plainly() {
        let layers = [layer("namespaces", State::Missing, ["refused", "no cell can be made here", ""])];
        assert!(table(&layers, usize::MAX).ends_with("\nNo cell can be made here.\n"));
    }
}
