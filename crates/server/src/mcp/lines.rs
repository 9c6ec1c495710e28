//! Lines of a client, before they are read as messages.
//!
//! `rmcp` passes over a line that is no JSON, or too long, without a word, and a client waits for its answer for ever. Here
//! such a line is answered, and the rest is handed on as it came. What is not answered: an empty line, and one that was
//! cut off by the stream's end.
//!
//! To answer below `rmcp` was rejected: two writers would have to agree where a line of the other ends. So the answers go
//! through its own transport.

use rmcp::RoleServer;
use rmcp::model::{ErrorCode, ErrorData, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

/// How much of a line that is too long is kept to find its id: of its begin and of its end, bytes.
const KEPT: usize = 512;
/// How much is handed on at once, bytes.
const PIECE: usize = 64 << 10;
/// How many answers wait to be written.
const WAITING: usize = 16;

/// An answer to a line that is no message.
type Answer = (Option<RequestId>, ErrorData);

/// A transport that answers what is no message.
pub(super) struct Lines<W: AsyncWrite> {
    inner: AsyncRwTransport<RoleServer, DuplexStream, W>,
    answers: mpsc::Receiver<Answer>,
    writing: JoinSet<()>,
    reading: AbortHandle,
}

impl<W: AsyncWrite> Drop for Lines<W> {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl<W: AsyncWrite + Send + Unpin + 'static> Lines<W> {
    /// Messages of at most `longest` bytes.
    pub(super) fn new<R>(reader: R, writer: W, longest: usize) -> Lines<W>
    where
        R: AsyncRead + Send + Unpin + 'static,
    {
        let (into, from) = tokio::io::duplex(PIECE);
        let (answer, answers) = mpsc::channel(WAITING);
        let reading = tokio::spawn(read(reader, into, answer, longest)).abort_handle();
        let inner = AsyncRwTransport::new_server(from, writer).with_max_line_length(longest + 1);
        Lines { inner, answers, writing: JoinSet::new(), reading }
    }

    /// Writes an answer in a task of its own: whoever polls may give up between.
    fn answer(&mut self, (id, error): Answer) {
        let writing = self.inner.send(TxJsonRpcMessage::<RoleServer>::error(error, id));
        while self.writing.try_join_next().is_some() {}
        self.writing.spawn(async move {
            let _ = writing.await;
        });
    }
}

impl<W: AsyncWrite + Send + Unpin + 'static> Transport<RoleServer> for Lines<W> {
    type Error = std::io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.inner.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            let answer = tokio::select! {
                biased;
                Some(answer) = self.answers.recv() => answer,
                message = self.inner.receive() => {
                    if message.is_some() {
                        return message;
                    }
                    // The client has no more to say, and is told what it has not been told yet.
                    while let Ok(answer) = self.answers.try_recv() {
                        self.answer(answer);
                    }
                    while self.writing.join_next().await.is_some() {}
                    return None;
                }
            };
            self.answer(answer);
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}

/// Hands on the lines that can be messages, and answers the others.
async fn read<R>(reader: R, mut into: DuplexStream, answers: mpsc::Sender<Answer>, longest: usize)
where
    R: AsyncRead + Send + Unpin,
{
    let mut reader = BufReader::with_capacity(PIECE, reader);
    let (mut line, mut last) = (Vec::new(), Vec::new());
    let mut length = 0_usize;
    loop {
        let piece = match reader.fill_buf().await {
            Ok([]) | Err(_) => return,
            Ok(piece) => piece,
        };
        let end = piece.iter().position(|byte| *byte == b'\n');
        let taken = &piece[..end.unwrap_or(piece.len())];
        length += taken.len();
        if length <= longest {
            line.extend_from_slice(taken);
        } else {
            // All but the begin is forgotten; the end comes yet.
            line.truncate(KEPT);
            line.extend_from_slice(&taken[..taken.len().min(KEPT - line.len())]);
            line.shrink_to(KEPT);
            last.extend_from_slice(taken);
            last.drain(..last.len().saturating_sub(KEPT));
        }
        let used = taken.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_none() {
            continue;
        }
        let answer = if length > longest { Some(too_long(&line, &last, longest)) } else { unreadable(&line) };
        let handed_on = if let Some(answer) = answer {
            answers.send(answer).await.is_ok()
        } else {
            line.push(b'\n');
            into.write_all(&line).await.is_ok()
        };
        if !handed_on {
            return;
        }
        (length, line, last) = (0, Vec::new(), Vec::new());
    }
}

/// What is said of a line that is no JSON.
fn unreadable(line: &[u8]) -> Option<Answer> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return None;
    }
    let error = serde_json::from_slice::<serde_json::Value>(line).err()?;
    let text = format!("this line is no JSON: {error}; a message is one line of JSON-RPC");
    Some((None, ErrorData::new(ErrorCode::PARSE_ERROR, text, None)))
}

fn too_long(first: &[u8], last: &[u8], longest: usize) -> Answer {
    let text = format!(
        "this message has more than {} MiB and was not read; write large files in pieces, or into the workspace's directory",
        longest >> 20
    );
    (id_of(first, last), ErrorData::new(ErrorCode::INVALID_REQUEST, text, None))
}

/// The id of a message of which only the begin and the end are known: one that stands before or behind all that nests.
fn id_of(first: &[u8], last: &[u8]) -> Option<RequestId> {
    let (first, last) = (String::from_utf8_lossy(first), String::from_utf8_lossy(last));
    let member = r#"\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*"#;
    let id = r#"\s*"id"\s*:\s*(-?\d+|"[^"\\]*")\s*"#;
    let begins = regex_lite::Regex::new(&format!(r"^\s*\{{(?:{member},)*{id},")).ok()?;
    let ends = regex_lite::Regex::new(&format!(r",{id}(?:,{member})*\}}\s*$")).ok()?;
    let found = begins.captures(&first).or_else(|| ends.captures(&last))?;
    serde_json::from_str(found.get(1)?.as_str()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tokio::io::AsyncReadExt;

    const LONGEST: usize = 4096;

    /// What comes back for these bytes, and the methods that are handed on.
    async fn told(bytes: Vec<u8>) -> (Vec<Value>, usize) {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let (reader, writer) = tokio::io::split(server);
        let mut lines = Lines::new(reader, writer, LONGEST);
        let (mut answers, mut asked) = tokio::io::split(&mut client);
        asked.write_all(&bytes).await.unwrap();
        asked.shutdown().await.unwrap();
        let mut messages = 0;
        while lines.receive().await.is_some() {
            messages += 1;
        }
        lines.close().await.unwrap();
        drop(lines);
        let mut text = String::new();
        answers.read_to_string(&mut text).await.unwrap();
        (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), messages)
    }

    #[tokio::test]
    async fn lines_that_are_no_messages_are_answered_and_the_next_is_read() {
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let (answers, messages) =
            told(format!("no json\n\n{ping}\r\n{{\"a\":\n{ping}\n\u{feff}{ping}\n").into()).await;
        assert_eq!(messages, 3, "{answers:?}");
        assert_eq!(answers.len(), 2, "{answers:?}");
        for answer in answers {
            assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(-32700)), "{answer}");
        }
        let (answers, messages) = told(b"\"\xff\"\ncut off".to_vec()).await;
        assert_eq!((answers.len(), messages), (1, 0), "{answers:?}");
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_answered_by_its_id() {
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let long = "x".repeat(5 * LONGEST);
        let lines = [
            format!(r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{{"a":"{long}"}}}}"#),
            format!(r#"{{"method":"ping","params":{{"a":"{long}","id":3}},"jsonrpc":"2.0","id":"eight"}}"#),
            format!(r#"{{"params":{{"id":3,"a":"{long}"}}}}"#),
            ping.to_owned(),
        ];
        let (answers, messages) = told((lines.join("\n") + "\n").into()).await;
        let mut ids: Vec<String> = answers.iter().map(|answer| answer["id"].to_string()).collect();
        ids.sort();
        assert_eq!((ids, messages), (vec!["\"eight\"".to_owned(), "7".into(), "null".into()], 1));
        assert!(answers.iter().all(|answer| answer["error"]["code"] == -32600), "{answers:?}");
    }
}
