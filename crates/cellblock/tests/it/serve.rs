//! The server as people start it: what it refuses to start with, and what it permits its clients.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::bench::Bench;

pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    /// What it said before it listened.
    said: String,
    _log: BufReader<ChildStderr>,
}

impl Server {
    /// Starts one, and waits until it listens.
    pub(crate) fn start(bench: &Bench, options: &[&str]) -> Server {
        let listen: &[&str] = if options.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let usual = ["serve", "--env", "lean"].iter().chain(listen);
        let mut child = bench.command(usual.chain(options)).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "it never listened: {said}");
            if let Some((_, address)) = line.split_once(" listens on http://") {
                break address.trim().to_owned();
            }
            said.push_str(&line);
        };
        Server { child, address, said, _log: log }
    }

    /// The status and the body of an answer.
    pub(crate) fn ask(&self, path: &str, body: Option<&Value>) -> (u16, Value) {
        let (status, answer) = self.send(if body.is_some() { "PUT" } else { "GET" }, path, body);
        (status, serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}")))
    }

    /// The status and the whole body of an answer, once it is there.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut answer = String::new();
        self.begin(method, path, &body).read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        (status, if chunked { whole(body) } else { body.to_owned() })
    }

    /// Sends a request, whose answer is to be read.
    pub(crate) fn begin(&self, method: &str, path: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        stream
    }

    /// Opens a session, and gives its id.
    pub(crate) fn open_session(&self, name: &str) -> String {
        let path = "/code-interpreters/aws.codeinterpreter.v1/sessions/start";
        let (status, started) = self.ask(path, Some(&json!({ "name": name })));
        assert_eq!(status, 200, "{started}");
        started["sessionId"].as_str().unwrap().to_owned()
    }

    /// Makes an interpreter.
    fn create(&self, network: &Value) -> (u16, Value) {
        let name = format!("one_{}", std::process::id());
        self.ask("/code-interpreters", Some(&json!({ "name": name, "networkConfiguration": network })))
    }

    fn start_session(&self, interpreter: &Value) -> (u16, Value) {
        let path = format!("/code-interpreters/{}/sessions/start", interpreter.as_str().unwrap());
        self.ask(&path, Some(&json!({})))
    }
}

/// What was sent in chunks.
fn whole(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        body.push_str(&rest[..size]);
        chunks = rest[size..].trim_start_matches("\r\n");
    }
    body
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

#[test]
fn what_the_operator_does_not_permit_is_refused_by_its_name() {
    let Some(bench) = Bench::new() else { return };
    for (options, mode, needs) in [
        (&[][..], "PUBLIC", "none at most (`network.mode`), and PUBLIC needs internet; use SANDBOX"),
        (&[], "VPC", "none at most (`network.mode`), and VPC needs allow or internet; use SANDBOX"),
        (
            &["--allow", "example.org"],
            "PUBLIC",
            "allow at most (`network.mode`), and PUBLIC needs internet; use VPC or",
        ),
    ] {
        let (status, fault) = Server::start(&bench, options).create(&json!({ "networkMode": mode }));
        let message = fault["message"].as_str().unwrap();
        assert!(status == 400 && message.contains(needs), "{mode} with {options:?}: {fault}");
        assert_eq!(fault["fieldList"][0]["name"], "networkConfiguration.networkMode");
    }
}

#[test]
fn an_interpreter_of_a_more_generous_time_opens_no_session() {
    let Some(bench) = Bench::new() else { return };
    let server = Server::start(&bench, &["--network", "internet"]);
    let (status, made) = server.create(&json!({ "networkMode": "PUBLIC" }));
    assert_eq!(status, 202, "{made}");
    let id = made["codeInterpreterId"].clone();
    let (_, got) = server.ask(&format!("/code-interpreters/{}", id.as_str().unwrap()), None);
    assert_eq!(got["networkConfiguration"], json!({ "networkMode": "PUBLIC" }));
    drop(server);

    let server = Server::start(&bench, &["--network", "allow", "--allow", "example.org"]);
    let (status, fault) = server.start_session(&id);
    let message = fault["message"].as_str().unwrap();
    assert_eq!(status, 400, "{fault}");
    let sentence = format!(
        "Code interpreter {} was made when this server permitted more, and no session is opened with it: PUBLIC is \
         not to be had on this server: its operator permits the network mode allow at most (`network.mode`), and \
         PUBLIC needs internet",
        id.as_str().unwrap()
    );
    assert_eq!(message, sentence);
    let (status, got) = server.start_session(&json!("aws.codeinterpreter.v1"));
    assert_eq!(status, 200, "{got}");
}

#[test]
fn what_is_configured_and_does_nothing_is_said() {
    let bench = Bench::without_environment();
    bench.write("x.toml", "[network]\nallow = [\"example.org\"]\n");
    let Some(lean) = Bench::new() else { return };
    let config = bench.at("x.toml").display().to_string();
    let server = Server::start(&lean, &["--config", &config]);
    let said = format!(
        "warning: `network.allow` ({config}) does nothing in the network mode none\n\
         hint: the mode allow uses the list\n"
    );
    assert_eq!(server.said, said);
    let ended = bench.cellblock(["run", "x.py", "--network", "internet", "--allow", "example.org"]);
    assert!(ended.stderr.starts_with("warning: `network.allow` (--allow) does nothing"), "{ended:?}");
}

#[test]
fn what_egress_costs_is_measured_beside_a_direct_connection() {
    let Some(bench) = Bench::new() else { return };
    let ended = bench.cellblock(["bench", "egress", "--quick", "--json"]);
    if ended.stderr.contains("no address that a session could be let to") {
        eprintln!("SKIPPED: {}", ended.stderr);
        return;
    }
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    for way in ["direct", "egress"] {
        for value in ["receive_gbit_per_second", "send_gbit_per_second", "connect_ms_p50", "connect_ms_p99"] {
            assert!(told["egress"][way][value].as_f64() > Some(0.0), "{way} {value}: {told}");
        }
    }
    bench.assert_nothing_left();
}

#[test]
fn without_a_wall_that_is_required_nothing_is_started() {
    let bench = Bench::without_environment();
    bench.write("x.py", "print(1)");
    // No quota is used anywhere yet.
    let required = |names: &str, arguments: &[&str]| {
        let mut command = bench.command(arguments);
        crate::bench::Ended::from(command.env("CELLBLOCK_SECURITY_REQUIRE", names).output().unwrap())
    };
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["run", "x.py"]] {
        let ended = required("seccomp,disk-quota", arguments);
        assert_eq!(ended.status, Some(125), "{ended:?}");
        assert!(
            ended.stderr.starts_with(
                "error: failed to start with what `security.require` (CELLBLOCK_SECURITY_REQUIRE) names:\n  \
                 disk-quota: "
            ),
            "{ended:?}"
        );
        assert!(ended.stderr.contains("\nhint: ") && !ended.stderr.contains("seccomp:"), "{ended:?}");
        let ended = required("quota", arguments);
        assert!(ended.stderr.contains("`quota` is no value of `security.require`"), "{ended:?}");
        assert!(ended.stderr.contains("hint: it is one of user-namespaces, uids, root, "), "{ended:?}");
    }
    let Some(bench) = Bench::new() else { return };
    bench.write("x.py", "print(1)");
    let mut command = bench.command(["run", "x.py"]);
    command.env("CELLBLOCK_SECURITY_REQUIRE", "user-namespaces,root,seccomp,network");
    let ended = crate::bench::Ended::from(command.output().unwrap());
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "1\n"), "{ended:?}");
}
