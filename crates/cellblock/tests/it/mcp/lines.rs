//! Lines on standard input that are no messages.

use std::io::{BufRead, Write};

use serde_json::{Value, json};

use super::Agent;
use crate::bench::Bench;
use crate::serve::Server;

/// They are answered, and what follows them is, too.
fn answered(agent: &mut Agent) {
    for (wrong, code) in [("no json".to_owned(), -32700), ("x".repeat(33 << 20), -32600)] {
        writeln!(agent.input.as_mut().unwrap(), "{wrong}").unwrap();
        let mut line = String::new();
        agent.output.read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&told["id"], &told["error"]["code"]), (&Value::Null, &json!(code)), "{told}");
        assert_eq!(agent.ask("ping", &json!({}))["result"], json!({}));
    }
}

#[test]
fn are_answered_by_the_program_and_by_the_bridge() {
    let Some(bench) = Bench::new() else { return };
    answered(&mut Agent::lean(&bench));
    let server = Server::start(&bench, &[]);
    answered(&mut Agent::start(&bench, &["--url", &format!("http://{}/mcp", server.address)]));
}
