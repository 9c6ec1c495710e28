//! Lookups that the daemon sends, and what a resolver answers.

use std::net::IpAddr;

use super::Reader;
use super::dns::{Code, Question, Record, kind};
use super::name::WireName;

/// What is taken in one packet: what passes every network whole.
const PAYLOAD: u16 = 1232;
/// More records than this are of no use to anybody.
const RECORDS: usize = 512;

/// What a resolver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How it went.
    pub code: Code,
    /// There is more than fits.
    pub cut: bool,
    /// What was found, for the question or for what it leads to.
    pub records: Vec<Record>,
}

/// A lookup's bytes.
pub fn ask(id: u16, question: &Question) -> Vec<u8> {
    let mut message = Vec::with_capacity(300);
    for value in [id, 0x0100, 1, 0, 0, 1] {
        message.extend_from_slice(&value.to_be_bytes());
    }
    message.extend_from_slice(question.name.bytes());
    message.extend_from_slice(&question.kind.to_be_bytes());
    message.extend_from_slice(&1_u16.to_be_bytes());
    message.push(0);
    for value in [kind::OPT, PAYLOAD, 0, 0, 0] {
        message.extend_from_slice(&value.to_be_bytes());
    }
    message
}

/// Reads what answers this question; `None` if these bytes do not.
pub fn read(bytes: &[u8], id: u16, question: &Question) -> Option<Answer> {
    let mut reader = Reader::new(bytes);
    if reader.u16()? != id {
        return None;
    }
    let flags = reader.u16()?;
    let [1, answers, _, _] = [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?] else {
        return None;
    };
    let same = WireName::read(&mut reader, false)? == question.name;
    let asked = (reader.u16()?, reader.u16()?) == (question.kind, 1);
    // An answer, to a lookup.
    if flags & 0xf800 != 0x8000 || !same || !asked {
        return None;
    }
    let (code, cut) = (Code((flags & 0xf) as u8), flags & 0x0200 != 0);
    let mut records = Vec::new();
    // What is cut is asked for again: its records may be cut in their middle.
    for _ in 0..if cut { 0 } else { answers } {
        let (record, class) = record(&mut reader)?;
        if class == 1 && !old(record.kind) && record.kind != kind::OPT {
            records.push(record);
        }
        if records.len() > RECORDS {
            return None;
        }
    }
    Some(Answer { code, cut, records })
}

/// Types of which nobody knows any more where names are in them: these would point into a message that is not passed on.
fn old(kind: u16) -> bool {
    matches!(kind, 3 | 4 | 7..=9 | 14 | 21 | 24 | 26 | 30)
}

/// The next record, and its class.
fn record(reader: &mut Reader<'_>) -> Option<(Record, u16)> {
    let name = WireName::read(reader, true)?;
    let (kind, class, seconds, length) = (reader.u16()?, reader.u16()?, reader.u32()?, reader.u16()?);
    let end = reader.at() + usize::from(length);
    let known = match kind {
        kind::A if length != 4 => return None,
        kind::AAAA if length != 16 => return None,
        kind::NS | kind::CNAME | kind::PTR | kind::DNAME => Some((0, 1, 0)),
        kind::MX | kind::AFSDB => Some((2, 1, 0)),
        kind::SRV => Some((6, 1, 0)),
        kind::RP => Some((0, 2, 0)),
        kind::SOA => Some((0, 2, 20)),
        _ => None,
    };
    let data = match known {
        Some((before, names, behind)) => {
            let mut data = reader.take(before)?.to_vec();
            for _ in 0..names {
                data.extend_from_slice(WireName::read(reader, true)?.bytes());
            }
            data.extend_from_slice(reader.take(behind)?);
            data
        }
        None => reader.take(length.into())?.to_vec(),
    };
    (reader.at() == end).then_some((Record { name, kind, seconds, data }, class))
}

impl Record {
    /// The address that it gives, if it gives one.
    pub fn address(&self) -> Option<IpAddr> {
        match self.kind {
            kind::A => <[u8; 4]>::try_from(self.data.as_slice()).ok().map(IpAddr::from),
            kind::AAAA => <[u8; 16]>::try_from(self.data.as_slice()).ok().map(IpAddr::from),
            _ => None,
        }
    }
}
