//! Payloads and plans: whatever is accepted says the same when it is written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::{CellPlan, Confinement, Template};
use protocol::launcher::{Reply, Request};
use protocol::{CellState, FileReply, FileRequest, RefusedReason, Spawn, WaitStatus};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = Spawn::decode(bytes) {
        assert_eq!(message.encode(), bytes);
    }
    if let Ok(message) = CellState::decode(bytes) {
        assert_eq!(message.encode(), bytes);
    }
    if let Ok(message) = WaitStatus::decode(bytes) {
        assert_eq!(WaitStatus::decode(&message.encode()), Ok(message));
    }
    if let Ok((reason, detail)) = RefusedReason::decode(bytes) {
        assert_eq!(reason.encode(&detail), bytes);
    }
    if let Ok(message) = FileRequest::decode(bytes) {
        assert_eq!(message.encode(), bytes);
    }
    if let Ok(message) = FileReply::decode(bytes) {
        assert_eq!(message.encode(), bytes);
    }
    if let Ok(message) = Request::decode(bytes) {
        assert_eq!(message.encode(), bytes);
    }
    if let Ok(message) = Reply::decode(bytes) {
        assert_eq!(message.encode(), bytes);
    }
    if let Ok(plan) = Template::decode(bytes) {
        assert_eq!(plan.encode(), bytes);
    }
    if let Ok(plan) = CellPlan::decode(bytes) {
        assert_eq!(CellPlan::decode(&plan.encode()), Ok(plan));
    }
    if let Ok(plan) = Confinement::decode(bytes) {
        assert_eq!(plan.encode(), bytes);
    }
});
