//! The host in the head of an HTTP/1 request (RFC 9112), read strictly: what servers understand in several ways is not
//! let through.

use super::greeting::Greeting;

/// Methods that requests begin with: those of HTTP (with `PRI`, the preface of HTTP/2) and `WebDAV`, as registered at IANA.
const METHODS: &str = "ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE \
    MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PRI PROPFIND PROPPATCH PUT \
    QUERY REBIND REPORT SEARCH TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL";

/// Reads bytes that may begin a request.
pub(super) fn read(bytes: &[u8]) -> Greeting {
    let line = match bytes.iter().position(|&byte| byte == b'\n') {
        Some(end) => &bytes[..end],
        None => bytes,
    };
    let whole = line.len() < bytes.len();
    // Other protocols show at once that they are none, also those whose words have no end of a line: nobody waits then.
    let length = line.iter().take_while(|&&byte| token(byte)).count();
    let (word, behind) = line.split_at(length);
    let known = METHODS.split(' ').any(|method| match behind {
        [] => method.as_bytes().starts_with(word),
        [b' ' | b'\t', ..] => method.as_bytes() == word,
        _ => false,
    });
    let text = line.iter().all(|&byte| matches!(byte, b'\t' | b'\r' | b' '..=b'~'));
    if !known || !text {
        return Greeting::Nameless;
    }
    if !whole {
        return Greeting::More;
    }
    let named = line.windows(5).any(|part| part.eq_ignore_ascii_case(b"HTTP/"));
    if !named {
        return Greeting::Nameless;
    }
    let head = match bytes.windows(4).position(|part| part == b"\r\n\r\n") {
        Some(end) => &bytes[..end + 2],
        None if clean(bytes) => return Greeting::More,
        None => return Greeting::Unclear,
    };
    if clean(head) { request(head).unwrap_or(Greeting::Unclear) } else { Greeting::Unclear }
}

/// Whether every line ends as it should, and nothing that is not text is in it. The last `\r` may still get its `\n`.
fn clean(head: &[u8]) -> bool {
    let mut before = 0;
    for &byte in head {
        let fits = match byte {
            b'\n' => before == b'\r',
            b'\t' | b'\r' | b' '..=b'~' | 0x80.. => before != b'\r',
            _ => false,
        };
        if !fits {
            return false;
        }
        before = byte;
    }
    true
}

/// The host that a whole head names; `None` if it is malformed.
fn request(head: &[u8]) -> Option<Greeting> {
    let mut lines = head.split(|&byte| byte == b'\n').filter_map(|line| line.strip_suffix(b"\r"));
    let mut words = std::str::from_utf8(lines.next()?).ok()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !matches!(version, "HTTP/1.1" | "HTTP/1.0") || method == "CONNECT" {
        return None;
    }
    let mut found = None;
    for line in lines {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        // A space in front makes it part of the line before, for some.
        if name.is_empty() || !name.iter().all(|&byte| token(byte)) {
            return None;
        }
        if name.eq_ignore_ascii_case(b"host") {
            if found.is_some() {
                return None;
            }
            found = Some(authority(std::str::from_utf8(value.trim_ascii()).ok()?)?);
        }
    }
    // A target that is a whole address counts more than `Host`, for some.
    if let Some(behind) = scheme(target) {
        let end = behind.find(['/', '?', '#']).unwrap_or(behind.len());
        let host = authority(&behind[..end])?;
        if found.is_some_and(|found| !found.eq_ignore_ascii_case(host)) {
            return None;
        }
        found = Some(host);
    } else if !target.starts_with('/') && target != "*" {
        return None;
    }
    Some(found.map_or(Greeting::Nameless, |host| Greeting::Host(host.to_owned())))
}

/// What is behind `http://` or `https://`.
fn scheme(target: &str) -> Option<&str> {
    let (scheme, behind) = target.split_once("://")?;
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")).then_some(behind)
}

/// The host of `host:port`; `None` if it is written otherwise.
fn authority(text: &str) -> Option<&str> {
    let (host, port) = text.split_once(':').unwrap_or((text, ""));
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let fits = !host.is_empty() && host.bytes().all(letter) && port.bytes().all(|byte| byte.is_ascii_digit());
    fits.then_some(host)
}

fn token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
