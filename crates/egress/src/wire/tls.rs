//! The server name in a `ClientHello` (RFC 8446 and 6066), which may come in several records.

use super::Reader;
use super::greeting::Greeting;

/// The type of a record that holds a greeting.
pub(super) const HANDSHAKE: u8 = 22;

/// Reads bytes that begin as TLS does.
pub(super) fn read(bytes: &[u8]) -> Greeting {
    // Every version calls itself the third one.
    if bytes.get(1).is_some_and(|&major| major != 3) {
        return Greeting::Nameless;
    }
    let mut hello = Vec::new();
    let mut reader = Reader::new(bytes);
    loop {
        match record(&mut reader) {
            Some(Ok(fragment)) => hello.extend_from_slice(fragment),
            Some(Err(())) => return Greeting::Unclear,
            None => return Greeting::More,
        }
        let mut message = Reader::new(&hello);
        match (message.u8(), message.u24()) {
            (Some(1), Some(length)) => {
                if let Some(body) = message.take(length) {
                    // What follows in the same record would be another message, which no client has to send yet.
                    let name = message.is_empty().then(|| server_name(body)).flatten();
                    return name.unwrap_or(Greeting::Unclear);
                }
            }
            (Some(1) | None, _) => {}
            (Some(_), _) => return Greeting::Unclear,
        }
    }
}

/// What the next record holds; `None` if it is not whole.
fn record<'a>(reader: &mut Reader<'a>) -> Option<Result<&'a [u8], ()>> {
    let (kind, major) = (reader.u8()?, reader.u8()?);
    let _minor = reader.u8()?;
    let length = reader.u16()?;
    if (kind, major) != (HANDSHAKE, 3) || length == 0 || length > 1 << 14 {
        return Some(Err(()));
    }
    reader.take(length.into()).map(Ok)
}

/// The name in the body of a greeting; `None` if it is malformed.
fn server_name(body: &[u8]) -> Option<Greeting> {
    let mut reader = Reader::new(body);
    reader.take(2 + 32)?; // version, random
    let session = reader.u8()?;
    reader.take(session.into())?;
    let ciphers = reader.u16()?;
    reader.take(ciphers.into())?;
    let compression = reader.u8()?;
    reader.take(compression.into())?;
    if reader.is_empty() {
        return Some(Greeting::Nameless);
    }
    let length = reader.u16()?;
    let mut extensions = Reader::new(reader.take(length.into())?);
    let mut found = None;
    while !extensions.is_empty() {
        let kind = extensions.u16()?;
        let length = extensions.u16()?;
        let data = extensions.take(length.into())?;
        if kind == 0 {
            // Of two, servers take now this one, now that one.
            if found.is_some() {
                return None;
            }
            found = Some(host(data)?);
        }
    }
    reader.is_empty().then(|| found.map_or(Greeting::Nameless, Greeting::Host))
}

/// The one entry of the list of names.
fn host(data: &[u8]) -> Option<String> {
    let mut reader = Reader::new(data);
    let all = reader.u16()?;
    let kind = reader.u8()?;
    let length = reader.u16()?;
    let host = reader.take(length.into())?;
    let whole = reader.is_empty() && usize::from(all) == data.len() - 2;
    let text = std::str::from_utf8(host).ok()?;
    (whole && kind == 0 && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| text.to_owned())
}
