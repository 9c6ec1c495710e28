//! Lookups: whatever comes is refused, or says the same when it is written again.
#![no_main]

use egress::wire::answer;
use egress::wire::dns::{self, Code, Reply};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let query = match dns::read(bytes) {
        Ok(query) => query,
        // The lookup's id, and an answer.
        Err(Some(reply)) => return assert!(reply.len() >= 12 && reply[..2] == bytes[..2] && reply[2] >> 7 == 1),
        Err(None) => return,
    };
    let again = dns::read(&answer::ask(query.id, &query.question)).expect("what the daemon asks is a lookup");
    assert_eq!((again.id, &again.question), (query.id, &query.question));
    let _ = (query.question.name.to_string(), query.question.name.host(), query.question.name.reverse());
    for blocked in [None, Some("a reason")] {
        let refused = Reply { blocked, ..Code::NO_NAME.into() };
        let written = dns::write(&query, &refused, dns::room(&query));
        assert!(written.len() <= dns::room(&query) && written[..2] == bytes[..2]);
    }
});
