//! `cellblock mcp` and `/mcp`, as agents' programs speak to them: JSON-RPC by hand, over pipes and over HTTP.

mod agent;
mod bridge;
mod http;
mod languages;
mod lines;

use std::io::BufRead;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::bench::Bench;
use agent::Agent;

/// A session that nobody has.
const GONE: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// The text of a result.
#[track_caller]
fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {result}"))
}

#[track_caller]
fn failed(result: &Value, says: &[&str]) {
    assert_eq!(result["isError"], true, "{result}");
    for part in says {
        assert!(text(result).contains(part), "not `{part}`: {}", text(result));
    }
}

#[test]
fn state_stays_and_files_outlast_the_connection() {
    let Some(bench) = Bench::new() else { return };
    let mut agent = Agent::lean(&bench);
    let printed = agent.code("x = 20\nprint('begin')\nx + 1");
    assert_eq!(text(&printed), "begin\n\n21");
    let data = &printed["structuredContent"];
    assert_eq!(
        (&data["stdout"], &data["result"], &data["outcome"]),
        (&json!("begin"), &json!("21"), &json!("ok"))
    );
    assert_eq!(text(&agent.code("x * 2")), "40");

    let saved = agent.tool(
        "execute_code",
        &json!({ "code": "import os; os.makedirs('out'); open('out/a b.csv', 'w').write('1,2')", "output_filename": "out/a b.csv" }),
    );
    let link = &saved["content"][1];
    assert_eq!((&link["type"], &link["mimeType"]), (&json!("resource_link"), &json!("text/csv")), "{saved}");
    let read = agent.ask("resources/read", &json!({ "uri": link["uri"] }));
    assert_eq!(read["result"]["contents"][0]["text"], "1,2", "{read}");
    assert_eq!(
        agent.tool("execute_command", &json!({ "command": "echo kept > late.txt" }))["isError"],
        false
    );
    assert_eq!(agent.end(), Some(0));
    bench.assert_nothing_left();

    // What was not saved by name was saved at the end.
    let mut agent = Agent::lean(&bench);
    let listed = agent.tool("workspace_list", &json!({}));
    let paths: Vec<&Value> =
        listed["structuredContent"]["files"].as_array().unwrap().iter().map(|file| &file["path"]).collect();
    assert_eq!(paths, ["code-interpreter/late.txt", "code-interpreter/out/a b.csv"]);
    assert_eq!(text(&agent.tool("execute_command", &json!({ "command": "cat late.txt" }))), "kept");
}

#[test]
fn a_terminated_program_saves_its_files_first() {
    let Some(bench) = Bench::new() else { return };
    let mut agent = Agent::lean(&bench);
    agent.code("open('made.txt', 'w').write('whole')");
    kill_process(Pid::from_child(&agent.child), Signal::TERM).unwrap();
    assert_eq!(agent.child.wait().unwrap().code(), Some(0));
    bench.assert_nothing_left();
    let mut agent = Agent::lean(&bench);
    let read = agent.tool("workspace_read", &json!({ "path": "code-interpreter/made.txt" }));
    assert_eq!(text(&read), "whole");
}

#[test]
fn mistakes_are_answered_with_what_helps() {
    let Some(bench) = Bench::new() else { return };
    let mut agent = Agent::lean(&bench);
    agent.code("open('chart.txt', 'w').write('x')");
    let wrong =
        agent.tool("execute_code", &json!({ "code": "print('done')", "output_filename": "chrt.txt" }));
    failed(&wrong, &["done", "no file `chrt.txt`", "Is `chart.txt` meant?"]);
    failed(
        &agent.code("ls -la /tmp\ny = 1"),
        &["not Python", "execute_command with command=\"ls -la /tmp\""],
    );
    failed(&agent.code("open('Chart.txt')"), &["FileNotFoundError", "Is `chart.txt` meant?"]);
    failed(&agent.code("import sys\nsys.exit(3)"), &["status 3", "Variables are gone", "sys.exit()"]);
    failed(&agent.code("import urllib.request as r\nr.urlopen('http://example.org')"), &["no network"]);
    failed(&agent.code("input('name? ')"), &["input()"]);
    let of = |agent: &mut Agent, arguments| agent.tool("file_operations", &arguments);
    let binary =
        of(&mut agent, json!({ "operation": "write", "content": [{ "path": "a.png", "text": "x" }] }));
    failed(&binary, &["a picture", "execute_code", "base64"]);
    failed(
        &of(&mut agent, json!({ "operation": "read", "paths": ["chart.tx"] })),
        &["Is `chart.txt` meant?"],
    );
    failed(&of(&mut agent, json!({ "operation": "copy" })), &["`copy`", "\"read\""]);
    failed(&agent.tool("execute_code", &json!({ "code": "1", "language": "bash" })), &["execute_command"]);
    failed(
        &agent.tool("execute_command", &json!({ "command": "nothing-of-the-kind" })),
        &["127", "no such program"],
    );
    failed(&agent.tool("execute_code", &json!({ "code": "1", "session_id": "a b" })), &["names no session"]);
    failed(&agent.tool("workspace_read", &json!({ "path": "../x" })), &["`..`"]);
    for (tool, own) in
        [("workspace_list", json!({})), ("workspace_write", json!({ "path": "a", "content": "a" }))]
    {
        for (session, says) in [("a b", "names no session"), (GONE, "There is no session")] {
            let mut arguments = own.clone();
            arguments["session_id"] = json!(session);
            failed(&agent.tool(tool, &arguments), &[says]);
        }
    }
    let unseen = agent.tool("workspace_write", &json!({ "path": "report.md", "content": "x" }));
    assert_eq!(unseen["isError"], false, "{unseen}");
    assert!(text(&unseen).contains("`uploads/report.md`"), "{unseen}");
    // Nothing of that was an error of the protocol; a tool that there is not is one.
    let unknown = agent.ask("tools/call", &json!({ "name": "nothing", "arguments": {} }));
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
}

#[test]
fn files_are_read_written_listed_and_removed() {
    let Some(bench) = Bench::new() else { return };
    let mut agent = Agent::lean(&bench);
    let of = |agent: &mut Agent, arguments| agent.tool("file_operations", &arguments);
    let said = "it's \"here\"\\n\né";
    let written = of(
        &mut agent,
        json!({ "operation": "write", "content": [{ "path": "d/a.txt", "text": said }, { "path": "b.txt", "text": "" }] }),
    );
    assert_eq!(written["isError"], false, "{written}");
    assert_eq!(text(&of(&mut agent, json!({ "operation": "read", "paths": "d/a.txt" }))), said);
    let both = of(&mut agent, json!({ "operation": "read", "paths": ["d/a.txt", "gone", "b.txt"] }));
    failed(&both, &["d/a.txt:\nit's", "no file `gone`", "b.txt:\n(the file is empty)"]);
    assert_eq!(both["structuredContent"]["outcome"], "partly");
    let listed: Value = serde_json::from_str(text(&of(&mut agent, json!({ "operation": "list" })))).unwrap();
    assert_eq!(listed[0], json!({ "name": "b.txt", "type": "file", "size": 0 }));
    assert_eq!(listed[1]["type"], "directory");
    agent.code("import struct, zlib\nopen('p.png', 'wb').write(b'\\x89PNG\\r\\n\\x1a\\n' + b'0' * 50)");
    let picture = of(&mut agent, json!({ "operation": "read", "paths": ["p.png"] }));
    assert_eq!(picture["content"][1]["mimeType"], "image/png", "{picture}");
    let removed =
        of(&mut agent, json!({ "operation": "remove", "paths": ["d/a.txt", "d", "b.txt", "p.png"] }));
    assert_eq!(removed["isError"], false, "{removed}");
    assert_eq!(text(&of(&mut agent, json!({ "operation": "list" }))), "[]");

    agent.tool(
        "workspace_write",
        &json!({ "path": "uploads/in.bin", "content": "AAEC", "encoding": "base64" }),
    );
    assert_eq!(text(&agent.code("open('in.bin', 'rb').read()")), "b'\\x00\\x01\\x02'");
    let pushed = agent.code("open('/tmp/t.txt', 'w').write('t'); open('h.txt', 'w').write('h')");
    assert_eq!(pushed["isError"], false);
    let pushed = agent.tool("ci_push_to_workspace", &json!({ "paths": ["/tmp/t.txt", "h.txt"] }));
    let saved = &pushed["structuredContent"]["files_saved"];
    assert_eq!(*saved, json!(["code-interpreter/h.txt", "code-interpreter/t.txt"]), "{pushed}");
}

#[test]
fn long_texts_are_cut_and_kept() {
    let Some(bench) = Bench::new() else { return };
    let mut agent = Agent::lean(&bench);
    agent.code("open('output-1.txt', 'w').write('mine')");
    let long = agent.code("print('a' * 90_000 + 'é' * 90_000)");
    let told = text(&long);
    assert!(
        told.contains("80000 characters are left out here; `output-2.txt` has all of it"),
        "{}",
        &told[..200]
    );
    assert_eq!(long["structuredContent"]["stdout_file"], "output-2.txt");
    assert_eq!(
        text(&agent.code("len(open('output-2.txt').read()), open('output-1.txt').read()")),
        "(180000, 'mine')"
    );
    // Beyond the limit of a call's output the session has kept it already: that file is named, and no other is made.
    let much = agent.code("for n in range(700_000): print(n)");
    assert_eq!(much["structuredContent"]["stdout_file"], "output-3.txt", "{}", text(&much));
    assert_eq!(
        text(
            &agent.code("open('output-3.txt').read().split()[-1], open('output-3.txt').read().count('\\n')")
        ),
        "('699999', 700000)"
    );
    assert_eq!(text(&agent.code("__import__('os').path.exists('output-4.txt')")), "False");
}

#[test]
fn output_is_told_while_code_runs_and_a_call_can_be_cancelled() {
    let Some(bench) = Bench::new() else { return };
    let mut agent = Agent::lean(&bench);
    agent.code("y = 7");
    let code = "print('first', flush=True)\nimport time\ntime.sleep(600)";
    let id = agent.request(
        "tools/call",
        &json!({ "name": "execute_code", "arguments": { "code": code }, "_meta": { "progressToken": "p" } }),
    );
    let mut line = String::new();
    while !line.contains("first") {
        line.clear();
        assert!(agent.output.read_line(&mut line).unwrap() > 0);
    }
    let told: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(told["method"], "notifications/progress");
    assert_eq!(told["params"]["progressToken"], "p");
    agent.send(
        &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } }),
    );
    assert_eq!(text(&agent.code("y")), "7");
    assert!(agent.told.iter().all(|message| message["id"] != id), "a cancelled request was answered");
}

#[test]
fn sessions_stand_beside_each_other() {
    let Some(bench) = Bench::new() else { return };
    let mut agent = Agent::lean(&bench);
    let own = agent.code("z = 1")["structuredContent"]["session_id"].clone();
    let in_session = |agent: &mut Agent, code: &str, session: &Value| {
        agent.tool("execute_code", &json!({ "code": code, "session_id": session }))
    };
    failed(&in_session(&mut agent, "z", &json!("other")), &["NameError"]);
    assert_eq!(text(&in_session(&mut agent, "z", &own)), "1");
    let stranger = json!("01K00Z3F8WZ9KBBW4QGRJCVBHH");
    failed(&in_session(&mut agent, "z", &stranger), &["There is no session"]);
}

#[test]
fn an_ended_session_is_replaced_and_that_is_said() {
    let Some(bench) = Bench::new() else { return };
    bench.write("short.toml", "[limits]\nsession_seconds = 3\n");
    let mut agent = Agent::start(&bench, &["--env", "lean", "--config", "short.toml"]);
    agent.code("kept = 1\nopen('f.txt', 'w').write('kept')");
    let replaced = loop {
        let now = agent.code("print(open('f.txt').read())\nkept");
        // On a busy machine even the new one may end before it has answered; another one follows.
        let data = &now["structuredContent"];
        if data["session_replaced"] == true && data["outcome"] == "raised" {
            break now;
        }
    };
    failed(&replaced, &["a new one took its place", "variables are gone", "kept\n", "NameError"]);
}
