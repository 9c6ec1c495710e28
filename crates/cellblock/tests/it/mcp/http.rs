//! `/mcp`, with connections and without.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::{failed, text};
use crate::bench::Bench;
use crate::serve::Server;

#[test]
fn http_has_connections_that_end() {
    let Some(bench) = Bench::new() else { return };
    let server = Server::start(&bench, &[]);
    let mut one = Http::begin(&server);
    let mut other = Http::begin(&server);
    let first = one.code("x = 5");
    assert_eq!(text(&one.code("x")), "5");
    failed(&other.code("x"), &["NameError"]);
    // The other edge does not see the session.
    let id = first["structuredContent"]["session_id"].as_str().unwrap();
    let path = format!("/code-interpreters/aws.codeinterpreter.v1/sessions/get?sessionId={id}");
    assert_eq!(server.ask(&path, None).0, 404);
    // What a program says while it runs comes as events before the answer.
    let code = json!({ "code": "import time\nprint('now', flush=True)\ntime.sleep(1)" });
    let events = one.post(&json!({
        "jsonrpc": "2.0", "id": 9, "method": "tools/call",
        "params": { "name": "execute_code", "arguments": code, "_meta": { "progressToken": 1 } },
    }));
    assert_eq!(events[0]["params"]["message"], "now\n", "{events:?}");
    let connection = one.connection.clone().unwrap();
    assert_eq!(request(&server, "DELETE", "/mcp", &[("mcp-session-id", &connection)], "").0, 204);
    let gone = request(
        &server,
        "POST",
        "/mcp",
        &[("mcp-session-id", &connection)],
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
    );
    assert_eq!(gone.0, 404);
    // A page from elsewhere is no client.
    let page = request(&server, "POST", "/mcp", &[("origin", "https://evil.example")], "{}");
    assert_eq!(page.0, 403);
    assert_eq!(request(&server, "POST", "/mcp", &[], "no json").0 / 100, 4);
}

#[test]
fn requests_that_stand_alone_share_the_callers_session() {
    let Some(bench) = Bench::new() else { return };
    let server = Server::start(&bench, &[]);
    let ask = |path: &str, method: &str, name: &str, params: Value| {
        let mut params = params;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        });
        let mut headers = vec![("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)];
        if !name.is_empty() {
            headers.push(("mcp-name", name));
        }
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let (status, _, mut messages) = request(&server, "POST", path, &headers, &message.to_string());
        assert_eq!(status, 200, "{messages:?}");
        messages.pop().unwrap()["result"].clone()
    };
    let code = |path: &str, code: &str| {
        ask(
            path,
            "tools/call",
            "execute_code",
            json!({ "name": "execute_code", "arguments": { "code": code } }),
        )
    };
    let tools = ask("/mcp", "tools/list", "", json!({}));
    assert!(tools["ttlMs"].is_u64() && tools["cacheScope"] == "public", "{tools}");
    code("/mcp", "y = 3\nopen('only-here.txt', 'w').write('')");
    assert_eq!(text(&code("/mcp", "y")), "3");
    // Another workspace is another session.
    failed(&code("/mcp?workspace=mine", "y"), &["NameError"]);
    assert_eq!(text(&code("/mcp?workspace=mine", "import os; os.listdir()")), "[]");
    failed(&code("/mcp?workspace=../x", "y"), &["name of a workspace"]);
}

/// A client with a connection over HTTP.
struct Http<'a> {
    server: &'a Server,
    connection: Option<String>,
}

impl Http<'_> {
    fn begin(server: &Server) -> Http<'_> {
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
        });
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
        let (status, head, _) = request(server, "POST", "/mcp", &[], &message.to_string());
        assert_eq!(status, 200, "{head}");
        let connection =
            head.lines().find_map(|line| line.strip_prefix("mcp-session-id: ")).map(str::to_owned);
        let http = Http { server, connection };
        http.post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        http
    }

    fn post(&self, message: &Value) -> Vec<Value> {
        let connection = self.connection.as_deref().unwrap();
        let headers = [("mcp-session-id", connection), ("mcp-protocol-version", "2025-11-25")];
        request(self.server, "POST", "/mcp", &headers, &message.to_string()).2
    }

    fn code(&mut self, code: &str) -> Value {
        let params = json!({ "name": "execute_code", "arguments": { "code": code } });
        let message = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params });
        let mut messages = self.post(&message);
        messages.pop().unwrap_or_else(|| panic!("no answer"))["result"].clone()
    }
}

/// The status, the head, and the messages of an answer, however they came.
fn request(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String, Vec<Value>) {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        server.address,
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let lines = body.lines().map(|line| line.strip_prefix("data: ").unwrap_or(line));
    let messages =
        lines.filter_map(|line| serde_json::from_str(line).ok()).filter(Value::is_object).collect();
    (status, head.to_owned(), messages)
}
