//! Server-sent events: the messages in the body of an answer.

/// The longest event that is read, bytes.
const LONGEST: usize = 64 << 20;

/// Reads events as their bytes come.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
}

impl Events {
    /// Takes more of the body; gives the data of each event that has ended. An event that is too long is an error.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
        let mut ended = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                self.line.push(*byte);
                if self.line.len() + self.data.len() > LONGEST {
                    return Err("the server sent a message of more than 64 MiB");
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            if line.is_empty() {
                let data = std::mem::take(&mut self.data);
                if !data.is_empty() {
                    ended.push(data);
                }
            } else if let Some(data) = line.strip_prefix(b"data:") {
                // Lines of one event are lines of its data; in JSON any white space is as good.
                if !self.data.is_empty() {
                    self.data.push(b' ');
                }
                self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
            }
        }
        Ok(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&str]) -> Vec<String> {
        let mut events = Events::default();
        let taken = pieces.iter().flat_map(|piece| events.take(piece.as_bytes()).unwrap());
        taken.map(|data| String::from_utf8(data).unwrap()).collect()
    }

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = ": hello\r\nid: 1\r\nretry: 3000\r\ndata:\r\n\r\nid: 2\ndata: {\"a\":\ndata: 1}\n\ndata:{}\n\ndata: cut";
        let expected = ["{\"a\": 1}", "{}"];
        assert_eq!(read(&[text]), expected);
        for at in 0..text.len() {
            let (one, other) = text.split_at(at);
            assert_eq!(read(&[one, other]), expected, "{at}");
        }
    }

    #[test]
    fn an_event_without_end_is_refused() {
        let mut events = Events::default();
        let piece = vec![b'x'; LONGEST / 2];
        assert!(events.take(&piece).is_ok());
        assert!(events.take(&piece).is_ok());
        assert!(events.take(b"x").is_err());
    }
}
