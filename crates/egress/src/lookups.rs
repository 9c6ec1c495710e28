//! What a cell is answered when it looks a name up.
//!
//! **Invariants.** In the mode `allow` a lookup asks nobody: what is listed is answered from here, and so is what is
//! not. In the mode `internet` no address is answered that the daemon would not connect to. In none are there records
//! that lead past a name (`HTTPS`, `SVCB`).

use std::net::{IpAddr, SocketAddr};

use policy::network::{Mode, Name, Refusal};

use crate::ledger::Way;
use crate::shared::Shared;
use crate::wire::answer::{self, Answer};
use crate::wire::dns::{self, Code, Query, Record, Reply, kind};
use crate::wire::name::WireName;

/// For how many seconds a cell may keep what stands for a name. It never changes while the session lives.
const SECONDS: u32 = 60;

/// Answers one lookup; `None` if it is none, and if it was one too many on a connection. `room` is how much may be sent; without, what the client says.
pub(crate) async fn answer(shared: &Shared, bytes: &[u8], room: Option<usize>) -> Option<Vec<u8>> {
    let query = match dns::read(bytes) {
        Ok(query) => query,
        Err(said) => return said,
    };
    let reply = match shared.ledger.lookup() {
        Err(refusal) => {
            shared.refused_lookup(query.question.name.to_string(), refusal);
            // On a connection the next ones already wait: it ends.
            if room.is_some() {
                return None;
            }
            Code::REFUSED.into()
        }
        Ok(()) => match shared.network.mode {
            Mode::None => Code::REFUSED.into(),
            Mode::Allow => listed(shared, &query),
            Mode::Internet => public(shared, &query).await,
        },
    };
    Some(dns::write(&query, &reply, room.unwrap_or_else(|| dns::room(&query))))
}

/// The answer of the mode `allow`.
fn listed(shared: &Shared, query: &Query) -> Reply {
    let asked = &query.question.name;
    if let Some(address) = asked.reverse() {
        let name = shared.names().behind(address).map(WireName::of);
        return match name {
            Some(name) if query.question.kind == kind::PTR => found(query, name.bytes().to_vec()),
            Some(_) => Code::OK.into(),
            None => Code::NO_NAME.into(),
        };
    }
    let Some(name) = asked.host().filter(|name| shared.network.lists(name)) else {
        shared.refused_lookup(asked.to_string(), Refusal::NotListed);
        let blocked = Some("it is not on this session's list");
        return Reply { code: Code::NO_NAME, records: Vec::new(), blocked };
    };
    let stand_in = shared.names().stand_in(&name);
    let Some((v4, v6)) = stand_in else {
        shared.refused_lookup(name.to_string(), Refusal::Names);
        return Code::REFUSED.into();
    };
    match query.question.kind {
        kind::A => found(query, v4.octets().to_vec()),
        kind::AAAA => found(query, v6.octets().to_vec()),
        _ => Code::OK.into(),
    }
}

/// An answer of one record.
fn found(query: &Query, data: Vec<u8>) -> Reply {
    let name = query.question.name.clone();
    let record = Record { name, kind: query.question.kind, seconds: SECONDS, data };
    Reply { code: Code::OK, records: vec![record], blocked: None }
}

/// The answer of the mode `internet`.
async fn public(shared: &Shared, query: &Query) -> Reply {
    let question = &query.question;
    match question.kind {
        kind::HTTPS | kind::SVCB => return Code::OK.into(),
        kind::OPT => return Code::MALFORMED.into(),
        // Not types of records but whole zones, all types, and what servers say to each other (RFC 6895).
        128..=255 => return Code::REFUSED.into(),
        _ => {}
    }
    // Who has a private address is told by the host's name server, and is nobody's business.
    if question.name.reverse().is_some_and(|address| shared.network.answered(address).is_err()) {
        return Code::NO_NAME.into();
    }
    let length = answer::ask(0, question).len();
    if let Err(refusal) = shared.ledger.bytes(Way::Out, length) {
        shared.refused_lookup(question.name.to_string(), refusal);
        return Code::REFUSED.into();
    }
    let Ok(answer) = shared.resolver.ask(question).await else { return Code::FAILED.into() };
    let length = answer.records.iter().map(|record| record.data.len() + 16).sum();
    if let Err(refusal) = shared.ledger.bytes(Way::In, length) {
        shared.refused_lookup(question.name.to_string(), refusal);
        return Code::REFUSED.into();
    }
    judged(shared, query, answer)
}

/// An answer without the addresses that are not to be had.
fn judged(shared: &Shared, query: &Query, answer: Answer) -> Reply {
    let code = if matches!(answer.code, Code::OK | Code::NO_NAME) { answer.code } else { Code::FAILED };
    let name = query.question.name.host();
    let mut records = Vec::with_capacity(answer.records.len());
    let mut refused = None;
    for record in answer.records {
        match record.address().map(|address| (address, judge(shared, address))) {
            Some((_, Err(refusal))) => refused = Some(refusal),
            Some((address, Ok(()))) => {
                remember(shared, address, name.as_ref());
                records.push(record);
            }
            None if matches!(record.kind, kind::HTTPS | kind::SVCB) => {}
            None => records.push(record),
        }
    }
    let any = records.iter().any(|record| record.address().is_some());
    match refused {
        // The names that led there tell of the host's network as well.
        Some(refusal) if !any => {
            shared.refused_lookup(query.question.name.to_string(), refusal);
            Reply { code, records: Vec::new(), blocked: Some("its address is not public") }
        }
        _ => Reply { code, records, blocked: None },
    }
}

fn judge(shared: &Shared, address: IpAddr) -> Result<(), Refusal> {
    shared.network.answered(address)?;
    let somewhere = shared
        .network
        .open_private
        .iter()
        .any(|opened| shared.network.meant(SocketAddr::new(address, opened.port.0.unwrap_or(0))));
    if somewhere {
        return Ok(());
    }
    shared.not_hosts(SocketAddr::new(address, 0))
}

fn remember(shared: &Shared, address: IpAddr, name: Option<&Name>) {
    if let Some(name) = name {
        shared.names().answered(address, name);
    }
}
