//! `cellblock mcp --url`: a bridge to a server that runs.

use std::io::Write;

use serde_json::{Value, json};

use super::{Agent, failed, text};
use crate::bench::Bench;
use crate::serve::Server;

#[test]
fn a_bridge_hands_on_and_outlives_its_server() {
    let Some(bench) = Bench::new() else { return };
    let server = Server::start(&bench, &[]);
    let (address, url) = (server.address.clone(), format!("http://{}/mcp", server.address));
    let mut agent = Agent::start(&bench, &["--url", &url, "--workspace", "mine"]);
    agent.code("x = 6\nopen('f.txt', 'w').write('kept')");
    assert_eq!(text(&agent.code("x")), "6");
    let listed = agent.tool("ci_push_to_workspace", &json!({}));
    assert_eq!(listed["structuredContent"]["workspace"], "mine", "{listed}");
    drop(server);
    let server = Server::start(&bench, &["--listen", &address]);
    let after = agent.code("print(open('f.txt').read())\nx");
    failed(&after, &["server was restarted"]);
    assert_eq!(text(&agent.code("open('f.txt').read()")), "'kept'");
    drop(server);
    assert_eq!(agent.end(), Some(0));
}

#[test]
fn a_bridge_to_nobody_says_so() {
    let bench = Bench::without_environment();
    let mut child = bench
        .command(["mcp", "--url", "http://127.0.0.1:1"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {} });
    writeln!(child.stdin.take().unwrap(), "{message}").unwrap();
    let output = child.wait_with_output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let why = answer["error"]["message"].as_str().unwrap();
    assert!(why.contains("no server at http://127.0.0.1:1/mcp") && why.contains("cellblock serve"), "{why}");
    let refused = bench.cellblock(["mcp", "--url", "https://a.example/mcp"]);
    assert!(refused.status == Some(2) && refused.stderr.contains("TLS"), "{refused:?}");
}
