//! Lookups that a cell sends, and what it is answered.

use super::Reader;
use super::name::WireName;

/// Types of records that are treated by their kind.
pub mod kind {
    /// An IPv4 address.
    pub const A: u16 = 1;
    /// A name server.
    pub const NS: u16 = 2;
    /// Another name for it.
    pub const CNAME: u16 = 5;
    /// The begin of a zone.
    pub const SOA: u16 = 6;
    /// The name of an address.
    pub const PTR: u16 = 12;
    /// Where mail goes.
    pub const MX: u16 = 15;
    /// Who is responsible.
    pub const RP: u16 = 17;
    /// A cell's data base, not ours.
    pub const AFSDB: u16 = 18;
    /// An IPv6 address.
    pub const AAAA: u16 = 28;
    /// A service.
    pub const SRV: u16 = 33;
    /// Another name for all below it.
    pub const DNAME: u16 = 39;
    /// What belongs to the message itself.
    pub const OPT: u16 = 41;
    /// How to reach a service: it would lead past what a name was judged for.
    pub const SVCB: u16 = 64;
    /// How to reach a web server; as [`SVCB`].
    pub const HTTPS: u16 = 65;
}

/// Class `IN`.
const INTERNET: u16 = 1;
/// What a client takes that does not say how much (RFC 1035).
const PLAIN: usize = 512;
/// The most that is sent in one packet, whatever the client says that it takes.
const LARGEST: usize = 4096;

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub u8);

impl Code {
    /// There is an answer, or the name has nothing of this type.
    pub const OK: Code = Code(0);
    /// The lookup is malformed.
    pub const MALFORMED: Code = Code(1);
    /// Nobody could be asked.
    pub const FAILED: Code = Code(2);
    /// There is no such name.
    pub const NO_NAME: Code = Code(3);
    /// This is no lookup.
    pub const UNKNOWN: Code = Code(4);
    /// It is not answered.
    pub const REFUSED: Code = Code(5);
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Which name.
    pub name: WireName,
    /// Which type of record.
    pub kind: u16,
}

/// A lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// By which the client knows its answer.
    pub id: u16,
    /// Whether others may be asked.
    pub recursion: bool,
    /// The one question.
    pub question: Question,
    /// How large a packet the client takes, if it speaks EDNS.
    pub edns: Option<usize>,
}

/// A record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Whose.
    pub name: WireName,
    /// Its type.
    pub kind: u16,
    /// For how many seconds it may be kept.
    pub seconds: u32,
    /// What it says, without pointers.
    pub data: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// How it went.
    pub code: Code,
    /// What was found.
    pub records: Vec<Record>,
    /// Why not, for a client that can be told (RFC 8914: `Blocked`).
    pub blocked: Option<&'static str>,
}

impl From<Code> for Reply {
    fn from(code: Code) -> Reply {
        Reply { code, records: Vec::new(), blocked: None }
    }
}

/// Reads a lookup. What is none is answered by the bytes of the error; or not at all, if they are none.
pub fn read(bytes: &[u8]) -> Result<Query, Option<Vec<u8>>> {
    let mut reader = Reader::new(bytes);
    let (Some(id), Some(flags)) = (reader.u16(), reader.u16()) else { return Err(None) };
    // Answers are not answered: two that do could go on for ever.
    if flags & 0x8000 != 0 {
        return Err(None);
    }
    let bare = |code: Code| Err(Some(header(id, flags & 0x7900, code, [0; 3]).to_vec()));
    if flags & 0x7800 != 0 {
        return bare(Code::UNKNOWN);
    }
    let Some(body) = body(&mut reader) else { return bare(Code::MALFORMED) };
    let recursion = flags & 0x0100 != 0;
    let query = Query { id, recursion, question: body.question, edns: body.edns.map(usize::from) };
    let said = match body {
        // RFC 6891: a version that is not spoken here.
        Body { version: 1.., .. } => Code(16),
        Body { class, .. } if class != INTERNET => Code::REFUSED,
        Body { .. } => return Ok(query),
    };
    Err(Some(write(&query, &said.into(), LARGEST)))
}

/// What follows the head of a lookup.
struct Body {
    question: Question,
    class: u16,
    /// Size and version, if EDNS is spoken.
    edns: Option<u16>,
    version: u8,
}

fn body(reader: &mut Reader<'_>) -> Option<Body> {
    let counts = [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
    let [1, 0, 0, additional @ 0..=2] = counts else { return None };
    let name = WireName::read(reader, false)?;
    let question = Question { name, kind: reader.u16()? };
    let class = reader.u16()?;
    let (mut edns, mut version) = (None, 0);
    for _ in 0..additional {
        let owner = WireName::read(reader, true)?;
        let (kind, size) = (reader.u16()?, reader.u16()?);
        let flags = reader.u32()?;
        let length = reader.u16()?;
        reader.take(length.into())?;
        if kind == kind::OPT {
            if edns.is_some() || owner.bytes() != [0] {
                return None;
            }
            (edns, version) = (Some(size), (flags >> 16) as u8);
        }
    }
    reader.is_empty().then_some(Body { question, class, edns, version })
}

/// A header with its counts: questions, answers, additional records.
fn header(id: u16, flags: u16, code: Code, counts: [u16; 3]) -> [u8; 12] {
    // An answer, of one who asks others.
    let flags = 0x8080 | flags | u16::from(code.0 & 0xf);
    let mut header = [0; 12];
    let values = [id, flags, counts[0], counts[1], 0, counts[2]];
    for (bytes, value) in header.chunks_exact_mut(2).zip(values) {
        bytes.copy_from_slice(&value.to_be_bytes());
    }
    header
}

/// How much a client takes in one packet.
pub fn room(query: &Query) -> usize {
    query.edns.map_or(PLAIN, |size| size.clamp(PLAIN, LARGEST))
}

/// The answer's bytes: at most `room`, without records and marked as cut if they would be more.
pub fn write(query: &Query, reply: &Reply, room: usize) -> Vec<u8> {
    let mut message = Vec::with_capacity(PLAIN);
    let opt = opt(query, reply);
    let mut written = 0;
    let mut cut = false;
    message.extend_from_slice(&[0; 12]);
    message.extend_from_slice(query.question.name.bytes());
    message.extend_from_slice(&query.question.kind.to_be_bytes());
    message.extend_from_slice(&INTERNET.to_be_bytes());
    let bare = message.len();
    for record in &reply.records {
        let owned = record.name == query.question.name;
        // The question begins behind the header, at 12.
        message.extend_from_slice(if owned { &[0xc0, 12] } else { record.name.bytes() });
        message.extend_from_slice(&record.kind.to_be_bytes());
        message.extend_from_slice(&INTERNET.to_be_bytes());
        message.extend_from_slice(&record.seconds.to_be_bytes());
        message.extend_from_slice(&(record.data.len() as u16).to_be_bytes());
        message.extend_from_slice(&record.data);
        written += 1;
        if message.len() + opt.len() > room {
            message.truncate(bare);
            (written, cut) = (0, true);
            break;
        }
    }
    message.extend_from_slice(&opt);
    let flags = u16::from(query.recursion) << 8 | u16::from(cut) << 9;
    let counts = [1, written, u16::from(!opt.is_empty())];
    message[..12].copy_from_slice(&header(query.id, flags, reply.code, counts));
    message
}

/// The record that belongs to the message itself, if the client speaks EDNS.
fn opt(query: &Query, reply: &Reply) -> Vec<u8> {
    if query.edns.is_none() {
        return Vec::new();
    }
    let mut opt = vec![0];
    opt.extend_from_slice(&kind::OPT.to_be_bytes());
    opt.extend_from_slice(&(LARGEST as u16).to_be_bytes());
    opt.extend_from_slice(&[reply.code.0 >> 4, 0, 0, 0]);
    let Some(text) = reply.blocked else {
        opt.extend_from_slice(&[0, 0]);
        return opt;
    };
    let length = text.len() as u16 + 2;
    for value in [length + 4, 15, length, 15] {
        opt.extend_from_slice(&value.to_be_bytes());
    }
    opt.extend_from_slice(text.as_bytes());
    opt
}
