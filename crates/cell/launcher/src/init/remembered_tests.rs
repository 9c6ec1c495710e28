//! The memory of calls: what is told again, and that nothing makes it grow.

use proptest::prelude::*;

use super::*;

const KERNEL: KernelId = KernelId(7);

fn bytes(text: impl AsRef<[u8]>) -> Rc<Vec<u8>> {
    Rc::new(text.as_ref().to_vec())
}

fn running(call: u128) -> Remembered {
    let mut memory = Remembered::default();
    memory.begin(CallId(call), KERNEL);
    memory
}

fn told(memory: &mut Remembered, call: u128) -> Vec<(Kind, Vec<u8>)> {
    let (kernel, frames) = memory.replay(CallId(call));
    assert_eq!(kernel, KERNEL);
    frames.into_iter().map(|frame| (frame.kind, frame.payload.to_vec())).collect()
}

fn end(memory: &mut Remembered, call: u128) {
    memory.end(CallId(call), Kind::Done, &bytes("done"));
}

#[test]
fn a_call_goes_through_its_states() {
    let call = CallId(1);
    let mut memory = Remembered::default();
    assert_eq!(memory.known(call), Known::New);
    memory.begin(call, KERNEL);
    assert_eq!((memory.known(call), memory.is_attached(call)), (Known::Running, true));
    memory.forget(call);
    assert_eq!(memory.known(call), Known::Running, "what runs is not forgotten");
    memory.detach_all();
    assert!(!memory.is_attached(call));
    memory.replay(call);
    assert!(memory.is_attached(call));
    memory.end(call, Kind::Done, &bytes(""));
    assert_eq!((memory.known(call), memory.is_attached(call)), (Known::Ended, false));
    memory.forget(call);
    assert_eq!((memory.known(call), memory.kept), (Known::Forgotten, 0));
    memory.begin(CallId(2), KERNEL);
    memory.did_not_start(CallId(2));
    assert_eq!((memory.known(CallId(2)), memory.kept), (Known::New, 0));
}

#[test]
fn a_call_is_told_again_in_order_with_its_end() {
    let mut memory = running(1);
    for (kind, text) in [
        (Kind::Stdout, "a"),
        (Kind::Stdout, "b"),
        (Kind::Stderr, "c"),
        (Kind::Display, "d"),
        (Kind::Stdout, "e"),
    ] {
        memory.record(CallId(1), kind, &bytes(text));
    }
    let kept = |kind, text: &str| (kind, text.as_bytes().to_vec());
    let mut expected = vec![
        kept(Kind::Stdout, "ab"),
        kept(Kind::Stderr, "c"),
        kept(Kind::Display, "d"),
        kept(Kind::Stdout, "e"),
    ];
    assert_eq!(told(&mut memory, 1), expected);
    end(&mut memory, 1);
    memory.record(CallId(1), Kind::Stdout, &bytes("too late"));
    memory.end(CallId(1), Kind::Done, &bytes("twice"));
    expected.push(kept(Kind::Done, "done"));
    assert_eq!(told(&mut memory, 1), expected);
    assert_eq!(told(&mut memory, 1), expected, "as often as is asked");
}

#[test]
fn of_long_output_the_beginning_is_kept_and_the_rest_counted_where_it_is_missing() {
    let mut memory = running(1);
    let line = vec![b'x'; 1000];
    for _ in 0..1000 {
        memory.record(CallId(1), Kind::Stdout, &bytes(&line));
    }
    memory.record(CallId(1), Kind::Result, &bytes("42"));
    memory.record(CallId(1), Kind::Stdout, &bytes("y"));
    end(&mut memory, 1);
    let frames = told(&mut memory, 1);
    let kinds: Vec<Kind> = frames.iter().map(|frame| frame.0).collect();
    let (output, rest) = kinds.split_at(kinds.len() - 3);
    assert!(output.iter().all(|&kind| kind == Kind::Stdout) && output.len() < 10, "{output:?}");
    assert_eq!(rest, [Kind::Dropped, Kind::Result, Kind::Done]);
    let kept: usize = frames[..output.len()].iter().map(|frame| frame.1.len()).sum();
    assert_eq!(kept, OUTPUT);
    assert_eq!(frames[output.len()].1, (1_000_001 - OUTPUT as u64).to_le_bytes());
}

#[test]
fn a_flood_of_single_bytes_costs_little_more_than_its_bytes() {
    let mut memory = running(1);
    for index in 0..OUTPUT {
        let kind = if index < OUTPUT / 2 { Kind::Stdout } else { Kind::Stderr };
        memory.record(CallId(1), kind, &bytes("x"));
    }
    assert!(memory.kept < 2 * OUTPUT, "{}", memory.kept);
    // In turns they cannot be joined, and what they cost is counted.
    for call in 2..20 {
        memory.begin(CallId(call), KERNEL);
        for _ in 0..5000 {
            memory.record(CallId(call), Kind::Stdout, &bytes("x"));
            memory.record(CallId(call), Kind::Stderr, &bytes("x"));
        }
    }
    assert!(memory.kept <= KEPT, "{}", memory.kept);
}

#[test]
fn the_oldest_are_forgotten_and_their_ids_remembered() {
    let mut memory = Remembered::default();
    let all = (ENDED + FORGOTTEN + 10) as u128;
    for call in 1..=all {
        memory.begin(CallId(call), KERNEL);
        end(&mut memory, call);
    }
    let count =
        |memory: &Remembered, known| (1..=all).filter(|&call| memory.known(CallId(call)) == known).count();
    assert_eq!(count(&memory, Known::Ended), ENDED);
    assert_eq!(count(&memory, Known::Forgotten), FORGOTTEN);
    assert_eq!(count(&memory, Known::New), 10);
    assert_eq!(memory.known(CallId(10)), Known::New);
    assert_eq!(memory.ended().last(), Some(CallId(all)));
}

#[test]
fn when_room_is_short_the_ends_outlive_the_frames() {
    let mut memory = Remembered::default();
    let picture = bytes(vec![0; KEPT / 4]);
    for call in 1..=6 {
        memory.begin(CallId(call), KERNEL);
        memory.record(CallId(call), Kind::Display, &picture);
        end(&mut memory, call);
    }
    let missing = (picture.len() as u64).to_le_bytes().to_vec();
    assert_eq!(told(&mut memory, 1), [(Kind::Dropped, missing), (Kind::Done, b"done".to_vec())]);
    assert_eq!(told(&mut memory, 6).len(), 2);
    assert_eq!(told(&mut memory, 6)[0].0, Kind::Display);
    // A call that runs takes room from frames, never from ends.
    memory.begin(CallId(7), KERNEL);
    for _ in 0..8 {
        memory.record(CallId(7), Kind::Display, &picture);
    }
    assert!((1..=6).all(|call| memory.known(CallId(call)) == Known::Ended));
    assert!(memory.kept <= KEPT);
}

#[test]
fn an_end_of_any_size_is_kept_while_it_is_the_newest() {
    let mut memory = Remembered::default();
    let huge = bytes(vec![0; 2 * KEPT]);
    for call in 1..=3 {
        memory.begin(CallId(call), KERNEL);
        memory.end(CallId(call), Kind::Done, &huge);
        assert_eq!(told(&mut memory, call).len(), 1);
        assert_eq!(memory.ended().count(), 1);
    }
    assert_eq!(memory.known(CallId(1)), Known::Forgotten);
}

#[derive(Debug, Clone)]
enum Step {
    Begin,
    Frame(Kind, usize),
    End(usize),
    Forget,
    Detach,
    Replay,
    DidNotStart,
}

fn any_step() -> impl Strategy<Value = (u128, Step)> {
    let kind =
        prop::sample::select(vec![Kind::Stdout, Kind::Stderr, Kind::Display, Kind::Result, Kind::SoftMemory]);
    let size = prop_oneof![0usize..100, 0usize..100_000, 0usize..4_000_000];
    let step = prop_oneof![
        3 => Just(Step::Begin),
        6 => (kind, size.clone()).prop_map(|(kind, size)| Step::Frame(kind, size)),
        2 => size.prop_map(Step::End),
        1 => Just(Step::Forget),
        1 => Just(Step::Detach),
        1 => Just(Step::Replay),
        1 => Just(Step::DidNotStart),
    ];
    (1u128..6, step)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happens_the_bounds_hold_and_no_byte_is_unaccounted(steps in prop::collection::vec(any_step(), 1..80)) {
        let mut memory = Remembered::default();
        let mut sent: BTreeMap<u128, u64> = BTreeMap::new();
        for (id, step) in steps {
            let call = CallId(id);
            let before = memory.known(call);
            match step {
                Step::Begin if before == Known::New => {
                    memory.begin(call, KERNEL);
                    sent.insert(id, 0);
                }
                Step::Frame(kind, size) => {
                    memory.record(call, kind, &bytes(vec![0; size]));
                    if before == Known::Running { *sent.get_mut(&id).unwrap() += size as u64; }
                }
                Step::End(size) => {
                    memory.end(call, Kind::Done, &bytes(vec![0; size]));
                    if before == Known::Running { prop_assert_eq!(memory.known(call), Known::Ended); }
                }
                Step::Forget => memory.forget(call),
                Step::Detach => memory.detach_all(),
                Step::Replay => drop(memory.replay(call)),
                Step::DidNotStart if before == Known::Running => memory.did_not_start(call),
                Step::Begin | Step::DidNotStart => {}
            }
            let frames: usize = memory.calls.values().map(Call::cost).sum();
            prop_assert_eq!(memory.kept, frames);
            let newest = memory.ended.back().map_or(0, |call| memory.calls[call].cost());
            prop_assert!(memory.kept <= KEPT + newest + 2 * PIECE, "{} with {newest}", memory.kept);
        }
        for (&id, &bytes) in &sent {
            if let Known::Running | Known::Ended = memory.known(CallId(id)) {
                let mut told = 0;
                for frame in memory.replay(CallId(id)).1 {
                    told += match frame.kind {
                        Kind::Done => 0,
                        Kind::Dropped => u64::from_le_bytes(frame.payload[..].try_into().unwrap()),
                        _ => frame.payload.len() as u64,
                    };
                }
                prop_assert_eq!(told, bytes);
            }
        }
    }
}
