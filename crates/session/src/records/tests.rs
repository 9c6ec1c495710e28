use std::collections::BTreeMap;

use protocol::SessionId;

use super::*;
use crate::principal::Principal;

fn session(id: u128) -> SessionRecord {
    let now = time(millis(SystemTime::now()));
    SessionRecord {
        id: SessionId::from_u128(id),
        principal: Principal::local(),
        interpreter: "aws.codeinterpreter.v1".to_owned(),
        name: Some("a name".to_owned()),
        extra: "{}".to_owned(),
        created: now,
        timeout: Duration::from_secs(900),
        updated: now,
        ended: None,
    }
}

fn interpreter(id: &str) -> InterpreterRecord {
    let now = time(millis(SystemTime::now()));
    InterpreterRecord {
        id: id.to_owned(),
        principal: Principal::local(),
        arn: format!("arn:{id}"),
        name: id.to_owned(),
        description: None,
        extra: "{}".to_owned(),
        tags: BTreeMap::from([("key".to_owned(), "value".to_owned())]),
        created: now,
        updated: now,
    }
}

fn ids(records: &Records) -> Vec<u128> {
    records.sessions(&Principal::local()).iter().map(|record| record.id.to_u128()).collect()
}

#[test]
fn what_is_recorded_is_found_by_the_next_daemon() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records.db");
    let local = Principal::local();
    let records = Records::open(&path).unwrap();
    records.add_session(session(1));
    records.add_session(session(2));
    let ended = records.end_session(&local, SessionId::from_u128(1)).unwrap();
    records.add_interpreter(interpreter("kept"));
    records.add_interpreter(interpreter("removed"));
    assert!(records.remove_interpreter(&local, "removed").is_some());
    records.change_tags(&local, "kept", |tags| tags.insert("more".to_owned(), String::new())).unwrap();
    records.answer(&local, "start", "token", [7; 32], "answer");
    let kept = records.interpreter(&local, "kept").unwrap();
    drop(records);

    let records = Records::open(&path).unwrap();
    assert_eq!(ids(&records), [2, 1]);
    let found = records.session(&local, SessionId::from_u128(1)).unwrap();
    assert_eq!(found.ended.map(millis), ended.ended.map(millis));
    // Its cell ended with its daemon.
    assert!(records.session(&local, SessionId::from_u128(2)).unwrap().ended.is_some());
    assert_eq!(records.interpreters(&local), [kept]);
    assert_eq!(records.claim(&local, "start", "token", &[7; 32]), Claim::Answered("answer".to_owned()));
    assert_eq!(records.claim(&local, "start", "token", &[8; 32]), Claim::Other);
    assert_eq!(records.claim(&local, "create", "token", &[7; 32]), Claim::New);
}

#[test]
fn a_second_daemon_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records.db");
    let records = Records::open(&path).unwrap();
    assert!(matches!(Records::open(&path), Err(Error::Locked { .. })));
    drop(records);
    Records::open(&path).unwrap();
}

#[test]
fn records_of_a_later_version_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    assert!(matches!(Records::open(&path), Err(Error::Version { found: 99, .. })));
}

#[test]
fn nobody_finds_what_is_anothers() {
    let directory = tempfile::tempdir().unwrap();
    let records = Records::open(&directory.path().join("records.db")).unwrap();
    records.add_session(session(1));
    records.add_interpreter(interpreter("kept"));
    let other = Principal::named("somebody");
    assert_eq!(records.session(&other, SessionId::from_u128(1)), None);
    assert_eq!(records.sessions(&other), []);
    assert_eq!(records.interpreters(&other), []);
    assert_eq!(records.end_session(&other, SessionId::from_u128(1)), None);
}

#[test]
fn what_ended_long_ago_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records.db");
    let records = Records::open(&path).unwrap();
    let long_ago = SystemTime::now() - KEEP - Duration::from_secs(1);
    records.add_session(SessionRecord { ended: Some(long_ago), ..session(1) });
    records.add_session(session(2));
    records.forget_old();
    assert_eq!(ids(&records), [2]);
    assert!(records.flush());
    drop(records);
    assert_eq!(ids(&Records::open(&path).unwrap()), [2]);
}

#[test]
fn of_very_many_the_newest_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let records = Records::open(&directory.path().join("records.db")).unwrap();
    let now = SystemTime::now();
    for id in 1..=10 {
        let ended = (id < 9).then(|| now - Duration::from_secs(100 - id));
        records.add_session(SessionRecord { ended, ..session(u128::from(id)) });
    }
    let old = records.state().sessions.too_old(now - KEEP, 3);
    let old: Vec<u128> = old.iter().map(|(_, id)| id.to_u128()).collect();
    assert_eq!(old, [5, 4, 3, 2, 1]);
}
