//! The list as `aarch64` has it: names, numbers and verdicts, and the program that is compiled from them.
//!
//! It was never run on such a machine. The numbers are libc's: compiled for that target (`cargo check --tests --target
//! aarch64-unknown-linux-gnu`), each line proves its own.

mod list;

use std::collections::BTreeMap;

use super::interpreter::{Call, run};
use crate::seccomp::bpf::{AARCH64, RET_ALLOW, RET_ERRNO, RET_KILL_PROCESS, X86_64, compile};
use crate::seccomp::{Entry, Verdict, calls, table};

use list::SNAPSHOT;

/// What a verdict is called here: `arguments` where they decide.
fn word(entry: &Entry) -> String {
    if entry.clauses.is_empty() { entry.otherwise.to_string() } else { "arguments".to_owned() }
}

/// The table with the numbers of this architecture.
fn here() -> Vec<Entry> {
    let numbers: BTreeMap<_, _> = SNAPSHOT.iter().map(|&(name, number, _)| (name, number)).collect();
    table().filter_map(|entry| Some(Entry { number: *numbers.get(entry.name)?, ..*entry })).collect()
}

#[test]
fn the_list_is_as_it_was() {
    let foreign: Vec<_> = calls::only_x86_64().collect();
    let numbers: BTreeMap<_, _> = SNAPSHOT.iter().map(|&(name, number, _)| (name, number)).collect();
    let number = |entry: &Entry| numbers.get(entry.name).map_or("?".to_owned(), u32::to_string);
    let wanted: String = table()
        .filter(|entry| !foreign.contains(&entry.name))
        .map(|entry| format!("    SYS_{} {} {};\n", entry.name, number(entry), word(entry)))
        .collect();
    let had: String =
        SNAPSHOT.iter().map(|(name, number, word)| format!("    SYS_{name} {number} {word};\n")).collect();
    assert!(wanted == had, "the list has changed; if that was meant, it is now\n{wanted}");
    if cfg!(target_arch = "aarch64") {
        assert!(table().all(|entry| numbers.get(entry.name) == Some(&entry.number)));
    }
}

#[test]
fn the_program_says_what_the_list_says() {
    let table = here();
    let program = compile(table.iter(), AARCH64).instructions().to_vec();
    for entry in &table {
        for arguments in [[0; 6], [u64::MAX; 6]] {
            let call = Call { architecture: AARCH64, number: entry.number, arguments };
            let expected = match entry.verdict(&arguments) {
                Verdict::Allow => RET_ALLOW,
                Verdict::Refuse(errno) => RET_ERRNO | u32::from(errno.number()),
            };
            assert_eq!(run(&program, &call).0, expected, "{}", entry.name);
            let foreign = Call { architecture: X86_64, ..call };
            assert_eq!(run(&program, &foreign).0, RET_KILL_PROCESS, "{}", entry.name);
        }
    }
    let mut numbers: Vec<_> = table.iter().map(|entry| entry.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), table.len(), "two names have one number");
}
