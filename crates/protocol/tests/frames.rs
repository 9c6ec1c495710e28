//! The parser of frames against everything that a hostile end may send.

use proptest::prelude::*;
use protocol::{
    CallId, CellState, Decoder, FileDone, FileFailure, FileOperation, FileReply, FileRequest, FileStep,
    Frame, FrameError, HEADER_LEN, Header, KernelId, KernelState, Kind, MAX_PATH, MAX_PAYLOAD, RefusedReason,
    Sender, SessionId, Spawn, WaitStatus,
};

const EVERYONE: &[Sender] = &[Sender::Daemon, Sender::Init, Sender::InitToKernel, Sender::Kernel];

fn any_frame() -> impl Strategy<Value = Frame> {
    (
        prop::sample::select(Kind::ALL),
        any::<u32>(),
        any::<u128>(),
        prop::collection::vec(any::<u8>(), 0..3000),
    )
        .prop_map(|(kind, kernel, call, payload)| Frame {
            kind,
            kernel: KernelId(kernel),
            call: CallId(call),
            payload,
        })
}

proptest! {
    #[test]
    fn frames_survive_any_cutting(frames in prop::collection::vec(any_frame(), 1..8), cuts in prop::collection::vec(1usize..700, 1..60)) {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
        let mut decoder = Decoder::new(EVERYONE);
        let (mut read, mut rest, mut cut) = (Vec::new(), &bytes[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (head, tail) = rest.split_at((*cut.next().unwrap()).min(rest.len()));
            decoder.feed(head);
            rest = tail;
            while let Some(frame) = decoder.next_frame().unwrap() {
                read.push(frame);
            }
        }
        prop_assert_eq!(read, frames);
        prop_assert_eq!(decoder.pending(), 0);
    }

    #[test]
    fn rubbish_never_panics_and_never_grows(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        let mut decoder = Decoder::new(&[Sender::Kernel]);
        decoder.feed(&bytes);
        while let Ok(Some(frame)) = decoder.next_frame() {
            prop_assert_eq!(frame.kind.sender(), Sender::Kernel);
        }
        prop_assert!(decoder.pending() <= bytes.len());
    }

    #[test]
    fn a_damaged_header_is_refused_or_means_something_sane(frame in any_frame(), at in 0usize..HEADER_LEN, bit in 0u8..8) {
        let mut bytes = frame.encode();
        bytes[at] ^= 1 << bit;
        let mut head = [0; HEADER_LEN];
        head.copy_from_slice(&bytes[..HEADER_LEN]);
        match Header::decode(&head) {
            Ok(header) => prop_assert!(header.len as usize <= MAX_PAYLOAD && at >= 3),
            Err(error) => prop_assert!(matches!((at, &error),
                (0 | 1, FrameError::Magic) | (2, FrameError::Version(_)) | (3, FrameError::Kind(_)) | (4..=7, FrameError::TooLarge(_))),
                "byte {at}: {error}"),
        }
    }

    #[test]
    fn messages_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        // Whatever is accepted must say the same when it is written again.
        if let Ok(message) = Spawn::decode(&bytes) { prop_assert_eq!(message.encode(), &bytes[..]); }
        if let Ok(message) = WaitStatus::decode(&bytes) { prop_assert_eq!(WaitStatus::decode(&message.encode()), Ok(message)); }
        if let Ok(message) = CellState::decode(&bytes) { prop_assert_eq!(message.encode(), &bytes[..]); }
        if let Ok((reason, detail)) = RefusedReason::decode(&bytes) { prop_assert_eq!(reason.encode(&detail), &bytes[..]); }
        if let Ok(message) = FileRequest::decode(&bytes) { prop_assert_eq!(message.encode(), &bytes[..]); }
        if let Ok(message) = FileReply::decode(&bytes) { prop_assert_eq!(message.encode(), &bytes[..]); }
    }

    #[test]
    fn a_path_is_any_bytes_but_zero(path in prop::collection::vec(any::<u8>(), 0..5000), operation in prop::sample::select(FileOperation::ALL)) {
        let request = FileRequest { operation, path };
        let path = &request.path;
        let good = !path.is_empty() && path.len() <= MAX_PATH && !path.contains(&0);
        prop_assert_eq!(FileRequest::decode(&request.encode()).ok(), good.then_some(request));
    }

    #[test]
    fn answers_about_files_read_back(path in prop::collection::vec(any::<u8>(), 0..5000), from_workspace in any::<bool>(), created in any::<bool>(), step in prop::sample::select(FileStep::ALL), errno in any::<i32>()) {
        let done = FileReply::Done(FileDone { path, created, from_workspace });
        prop_assert_eq!(FileReply::decode(&done.encode()), Ok(done));
        let failed = FileReply::Failed(FileFailure { step, errno });
        prop_assert_eq!(FileReply::decode(&failed.encode()), Ok(failed));
    }

    #[test]
    fn session_ids_read_back(value in any::<u128>(), rubbish in "\\PC{0,40}") {
        let id = SessionId::from_u128(value);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(id.to_string().len(), 26);
        if let Ok(id) = rubbish.parse::<SessionId>() { prop_assert_eq!(id.to_string(), rubbish.to_ascii_uppercase()); }
    }
}

#[test]
fn a_kernel_cannot_speak_in_anothers_voice() {
    for &kind in Kind::ALL {
        let mut decoder = Decoder::new(&[Sender::Kernel]);
        decoder.feed(&Frame::new(kind, *b"x").encode());
        match (kind.sender(), decoder.next_frame()) {
            (Sender::Kernel, Ok(Some(frame))) => assert_eq!(frame.kind, kind),
            (_, Err(error)) => assert_eq!(error, FrameError::NotAllowed(kind)),
            (_, other) => panic!("{kind:?}: {other:?}"),
        }
    }
}

#[test]
fn a_claimed_length_costs_nothing_until_the_bytes_come() {
    let header = Header { kind: Kind::Stdout, len: MAX_PAYLOAD as u32, kernel: KernelId(1), call: CallId(1) };
    let mut decoder = Decoder::new(&[Sender::Kernel]);
    decoder.feed(&header.encode());
    assert_eq!(decoder.next_frame(), Ok(None));
    assert_eq!(decoder.pending(), HEADER_LEN);

    let mut too_long = header.encode();
    too_long[4..8].copy_from_slice(&(MAX_PAYLOAD as u32 + 1).to_le_bytes());
    let mut decoder = Decoder::new(&[Sender::Kernel]);
    decoder.feed(&too_long);
    assert_eq!(decoder.next_frame(), Err(FrameError::TooLarge(MAX_PAYLOAD as u32 + 1)));
}

#[test]
fn messages_read_back() {
    let spawn = Spawn {
        argv: vec!["/bin/sh".into(), "-c".into(), "echo ü".into()],
        env: vec!["A=1".into()],
        cwd: "/mnt/workspace".into(),
    };
    assert_eq!(Spawn::decode(&spawn.encode()), Ok(spawn));
    let state = CellState {
        kernels: vec![KernelState { id: KernelId(3), ready: true, running: CallId(9) }],
        commands: vec![CallId(1)],
        ended: vec![CallId(2), CallId(u128::MAX)],
    };
    assert_eq!(CellState::decode(&state.encode()), Ok(state));
    for status in [WaitStatus::Exited(3), WaitStatus::Signaled(11), WaitStatus::Unknown] {
        assert_eq!(WaitStatus::decode(&status.encode()), Ok(status));
    }
    let refused = RefusedReason::SpawnFailed.encode("no such file");
    assert_eq!(RefusedReason::decode(&refused), Ok((RefusedReason::SpawnFailed, "no such file".into())));
}

#[test]
fn what_the_fuzzer_found_stays_harmless() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/frames");
    let mut count = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let mut decoder = Decoder::new(EVERYONE);
        decoder.feed(bytes.get(1..).unwrap_or_default());
        while let Ok(Some(frame)) = decoder.next_frame() {
            count += usize::from(frame.payload.len() <= bytes.len());
        }
    }
    assert!(count > 10, "the corpus has whole frames: {count}");
}
