//! A client of `cellblock mcp`, over its pipes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};

use serde_json::{Value, json};

use crate::bench::Bench;

/// `cellblock mcp`, and a client of it.
pub(crate) struct Agent {
    pub(crate) child: Child,
    pub(crate) input: Option<ChildStdin>,
    pub(crate) output: BufReader<ChildStdout>,
    asked: u64,
    /// What came that was no answer.
    pub(crate) told: Vec<Value>,
}

impl Agent {
    pub(crate) fn start(bench: &Bench, options: &[&str]) -> Agent {
        let mut child = bench
            .command(["mcp"].iter().chain(options))
            .stdin(std::process::Stdio::piped())
            // Not the test's own: processes that are ending hold it a moment longer than the program.
            .stderr(std::fs::File::create(bench.at("mcp.log")).unwrap())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut agent = Agent { child, input, output, asked: 0, told: Vec::new() };
        let client = json!({ "name": "test", "version": "1" });
        let begun = agent.ask(
            "initialize",
            &json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client }),
        );
        assert_eq!(begun["result"]["protocolVersion"], "2025-11-25", "{begun}");
        assert_eq!(begun["result"]["serverInfo"]["name"], "cellblock");
        agent.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        agent
    }

    /// One in an environment that is installed.
    pub(crate) fn lean(bench: &Bench) -> Agent {
        Agent::start(bench, &["--env", "lean"])
    }

    pub(crate) fn send(&mut self, message: &Value) {
        writeln!(self.input.as_mut().unwrap(), "{message}").unwrap();
    }

    /// Sends a request, and gives its id.
    pub(crate) fn request(&mut self, method: &str, params: &Value) -> u64 {
        self.asked += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": self.asked, "method": method, "params": params }));
        self.asked
    }

    /// Waits for an answer. Nothing but messages stands on standard output.
    pub(crate) fn answer(&mut self, id: u64) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "it has ended");
            let message: Value =
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if message.get("method").is_none() && message["id"] == id {
                return message;
            }
            self.told.push(message);
        }
    }

    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.request(method, params);
        self.answer(id)
    }

    /// What a tool gives.
    pub(crate) fn tool(&mut self, name: &str, arguments: &Value) -> Value {
        let answer = self.ask("tools/call", &json!({ "name": name, "arguments": arguments }));
        assert!(answer["result"].is_object(), "{answer}");
        answer["result"].clone()
    }

    pub(crate) fn code(&mut self, code: &str) -> Value {
        self.tool("execute_code", &json!({ "code": code }))
    }

    /// Hangs up, and gives the exit status.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.input = None;
        self.child.wait().unwrap().code()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}
