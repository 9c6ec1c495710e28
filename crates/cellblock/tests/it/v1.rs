//! `/v1` of a real server, byte by byte.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::serve::Server;

/// The lines of an answer.
#[track_caller]
fn lines(server: &Server, path: &str, body: &Value) -> Vec<Value> {
    let (status, answer) = server.send("POST", path, Some(body));
    assert_eq!(status, 200, "{answer}");
    answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn texts(lines: &[Value], stream: &str) -> String {
    let texts = lines.iter().filter(|line| line["type"] == stream);
    texts.map(|line| line["text"].as_str().unwrap()).collect()
}

#[test]
fn calls_answer_with_their_events() {
    let Some(bench) = Bench::new() else { return };
    let server = Server::start(&bench, &[]);
    let id = server.open_session("one");
    let at = |operation: &str| format!("/v1/sessions/{id}/{operation}");

    let (status, listed) = server.send("GET", "/v1/sessions", None);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(
        (status, &listed["sessions"][0]["id"], &listed["sessions"][0]["name"]),
        (200, &json!(id), &json!("one"))
    );
    assert!(
        listed["sessions"][0]["age_seconds"].is_u64() && listed["sessions"].as_array().unwrap().len() == 1
    );

    let code = "import sys; print('out ü'); print('err', file=sys.stderr); 6 * 7";
    let told = lines(&server, &at("execute"), &json!({ "code": code }));
    assert_eq!(told[0]["type"], "started");
    assert_eq!((texts(&told, "stdout").as_str(), texts(&told, "stderr").as_str()), ("out ü\n", "err\n"));
    let result = told.iter().find(|line| line["type"] == "result").unwrap();
    assert_eq!(result["data"]["text/plain"], "42");
    let report = told.last().unwrap();
    assert_eq!(
        (&report["type"], &report["outcome"], &report["call"]),
        (&json!("report"), &json!("ok"), &told[0]["call"])
    );
    assert_eq!((&report["execution_count"], &report["variables_kept"]), (&json!(1), &json!(true)));

    let told = lines(&server, &at("execute"), &json!({ "code": "while True: pass", "timeout_ms": 300 }));
    assert_eq!(told.last().unwrap()["outcome"], "timed_out");
    let told = lines(&server, &at("command"), &json!({ "command": "echo a; echo b >&2; exit 3" }));
    assert_eq!((texts(&told, "stdout").as_str(), texts(&told, "stderr").as_str()), ("a\n", "b\n"));
    assert_eq!(told.last().unwrap()["exit_status"], 3);

    let (status, found) =
        server.send("POST", &at("complete"), Some(&json!({ "code": "'ü'.capit", "cursor": 9 })));
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(status, 200, "{found}");
    let text = found["matches"][0]["text"].as_str().unwrap();
    assert!(text.ends_with("capitalize"), "{found}");
    let checked = lines(&server, &at("check"), &json!({ "code": "def f():" }));
    assert_eq!(checked, [json!({ "status": "incomplete", "indent": 4 })]);

    // Each language's own interpreter answers.
    let told = lines(&server, &at("execute"), &json!({ "code": "let kept = 7", "language": "javascript" }));
    assert_eq!(told.last().unwrap()["outcome"], "ok", "{told:?}");
    let asked = json!({ "code": "ke", "cursor": 2, "language": "javascript", "runtime": "nodejs" });
    let (status, found) = server.send("POST", &at("complete"), Some(&asked));
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!((status, &found["matches"][0]["text"]), (200, &json!("kept")), "{found}");
    for (code, expected) in [("if (kept) {", "incomplete"), ("kept", "complete"), ("def f():", "invalid")] {
        let asked = json!({ "code": code, "language": "javascript" });
        assert_eq!(lines(&server, &at("check"), &asked)[0]["status"], expected, "{code}");
    }
    let asked = json!({ "code": "x", "language": "python", "runtime": "deno" });
    let (status, refused) = server.send("POST", &at("check"), Some(&asked));
    assert!(status == 400 && refused.contains("the runtime of python is python"), "{refused}");
}

#[test]
fn a_call_outlives_its_client_and_can_be_interrupted() {
    let Some(bench) = Bench::new() else { return };
    let server = Server::start(&bench, &[]);
    let id = server.open_session("one");
    let at = |operation: &str| format!("/v1/sessions/{id}/{operation}");
    let code = "import time\nprint('go', flush=True)\ntime.sleep(0.5)\nkept = 7";
    let mut answer =
        BufReader::new(server.begin("POST", &at("execute"), &json!({ "code": code }).to_string()));
    until(&mut answer, "\"go");
    drop(answer);
    // It waits in the line for the one whose client has gone.
    let told = lines(&server, &at("execute"), &json!({ "code": "kept" }));
    assert!(told.iter().any(|line| line["data"]["text/plain"] == "7"), "{told:?}");

    let code = json!({ "code": "print('go', flush=True)\nwhile True: pass" }).to_string();
    let mut answer = BufReader::new(server.begin("POST", &at("execute"), &code));
    let started: Value = serde_json::from_str(&until(&mut answer, "started")).unwrap();
    until(&mut answer, "\"go");
    let (status, _) = server.send("POST", &at("interrupt"), Some(&json!({ "call": started["call"] })));
    assert_eq!(status, 200);
    let report: Value = serde_json::from_str(&until(&mut answer, "\"report\"")).unwrap();
    assert_eq!((&report["outcome"], &report["variables_kept"]), (&json!("interrupted"), &json!(true)));
    assert_eq!(report["error"]["name"], "KeyboardInterrupt");
}

/// The first line with this text.
fn until(answer: &mut impl BufRead, text: &str) -> String {
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert!(answer.read_line(&mut line).unwrap() > 0, "`{text}` never came");
    }
    line
}

#[test]
fn what_cannot_be_served_has_a_code_and_a_sentence() {
    let Some(bench) = Bench::new() else { return };
    let server = Server::start(&bench, &[]);
    let id = server.open_session("one");
    let other = "01JZQ8WX3F9T5V7K2M4N6P8R0S";
    let execute = |id: &str| format!("/v1/sessions/{id}/execute");
    for (method, path, body, status, code) in [
        ("POST", execute(other), json!({ "code": "1" }), 404, "no_such_session"),
        ("POST", execute("..%2f"), json!({ "code": "1" }), 404, "no_such_session"),
        ("POST", execute(&id), json!({}), 400, "invalid_request"),
        ("POST", execute(&id), json!({ "code": 3 }), 400, "invalid_request"),
        ("POST", execute(&id), json!({ "code": "1", "timeout_ms": 0 }), 400, "invalid_request"),
        ("POST", format!("/v1/sessions/{id}/interrupt"), json!({ "call": "x" }), 400, "invalid_request"),
        ("GET", execute(&id), json!({}), 404, "no_such_operation"),
        ("GET", "/v1".to_owned(), json!({}), 404, "no_such_operation"),
    ] {
        let (told, answer) = server.send(method, &path, Some(&body));
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(
            (told, answer["error"]["code"].as_str()),
            (status, Some(code)),
            "{method} {path}: {answer}"
        );
        assert!(answer["error"]["message"].as_str().unwrap().len() > 10 && answer["request_id"].is_string());
    }
    // Before any of the body was sent.
    for (header, status, code) in [
        ("content-type: application/json\r\ncontent-length: 9000000", "400", "invalid_request"),
        ("content-type: text/plain\r\ncontent-length: 2", "400", "invalid_request"),
        (
            "content-type: application/json\r\ncontent-length: 0\r\norigin: http://example.org",
            "403",
            "refused",
        ),
    ] {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n\r\n",
            execute(&id)
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let answer = until(&mut reader, "HTTP/1.1");
        assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
        let body = until(&mut reader, "\"error\"");
        assert!(body.contains(code), "{body}");
    }
}
