//! What a name server answers: records are refused, or say the same when they are written again without pointers.
#![no_main]

use egress::wire::answer;
use egress::wire::dns::{self, Query, Question, Reply};
use egress::wire::name::WireName;
use libfuzzer_sys::fuzz_target;
use policy::network::Name;

fuzz_target!(|input: (u16, u8, &[u8])| {
    let (kind, count, records) = input;
    let name = WireName::of(&Name::new("www.example.org").unwrap());
    let question = Question { name, kind };
    let mut message = answer::ask(7, &question);
    message.truncate(message.len() - 11);
    (message[2], message[7], message[11]) = (0x81, count, 0);
    message.extend_from_slice(records);
    let Some(found) = answer::read(&message, 7, &question) else { return };
    assert!(found.records.len() <= usize::from(count));
    let query = Query { id: 7, recursion: true, question: question.clone(), edns: None };
    let reply = Reply { code: found.code, records: found.records, blocked: None };
    let written = dns::write(&query, &reply, 65_535);
    assert!(written.len() <= 65_535);
    let read = answer::read(&written, 7, &question).expect("what is written can be read");
    assert!(read.cut || read.records == reply.records);
    for record in &reply.records {
        let _ = (record.address(), record.name.to_string(), record.name.host());
    }
});
