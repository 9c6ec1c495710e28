//! What waits for a caller: a call's events, in their order, and its report.
//!
//! Nobody makes room here: what waits is bounded by what a call may write and display, and a kernel never stands still
//! because nobody takes its events. A hostile one may cut its output into single bytes, so small pieces lie together in
//! one buffer with their borders beside it: a piece costs its bytes and a few more, not an allocation.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;

use crate::event::{Event, Report};

/// A piece that is larger is kept as it came.
const SMALL: usize = 4 << 10;
/// The most bytes that lie together.
const TOGETHER: usize = 64 << 10;

/// Which of the two standard streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

impl Stream {
    /// The event of this stream.
    pub(crate) fn event(self, bytes: Bytes) -> Event {
        match self {
            Stream::Out => Event::Stdout(bytes),
            Stream::Err => Event::Stderr(bytes),
        }
    }
}

#[derive(Debug)]
enum Item {
    Event(Event),
    /// Small pieces of output, first to last.
    Pieces {
        bytes: BytesMut,
        borders: VecDeque<(Stream, u32)>,
    },
    Report(Box<Report>),
}

/// What a caller takes next.
#[derive(Debug)]
pub(crate) enum Taken {
    Event(Event),
    Report(Box<Report>),
    /// Whoever could have reported is gone.
    Nothing,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    closed: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The session's end. Dropping it without a report says that there will be none.
#[derive(Debug)]
pub(crate) struct Sender(Arc<Shared>);

/// The caller's end.
#[derive(Debug)]
pub(crate) struct Receiver(Arc<Shared>);

/// A queue.
pub(crate) fn queue() -> (Sender, Receiver) {
    let shared = Arc::new(Shared::default());
    (Sender(shared.clone()), Receiver(shared))
}

impl Sender {
    /// Adds an event.
    pub(crate) fn event(&self, event: Event) {
        self.push(Item::Event(event));
    }

    /// Adds a piece of output.
    pub(crate) fn output(&self, stream: Stream, piece: Bytes) {
        if piece.len() > SMALL {
            self.push(Item::Event(stream.event(piece)));
            return;
        }
        let mut state = self.0.lock();
        let border = (stream, piece.len() as u32);
        match state.items.back_mut() {
            Some(Item::Pieces { bytes, borders }) if bytes.len() + piece.len() <= TOGETHER => {
                bytes.extend_from_slice(&piece);
                borders.push_back(border);
            }
            _ => {
                let (bytes, borders) = (BytesMut::from(&piece[..]), VecDeque::from([border]));
                state.items.push_back(Item::Pieces { bytes, borders });
            }
        }
        drop(state);
        self.0.changed.notify_one();
    }

    /// Adds the report: nothing comes after it.
    pub(crate) fn report(self, report: Report) {
        self.push(Item::Report(Box::new(report)));
    }

    fn push(&self, item: Item) {
        self.0.lock().items.push_back(item);
        self.0.changed.notify_one();
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_one();
    }
}

impl Receiver {
    /// The next one, when there is one. May be given up at any time.
    pub(crate) async fn next(&mut self) -> Taken {
        loop {
            if let Some(taken) = self.take() {
                return taken;
            }
            self.0.changed.notified().await;
        }
    }

    fn take(&mut self) -> Option<Taken> {
        let mut state = self.0.lock();
        let Some(first) = state.items.front_mut() else {
            return state.closed.then_some(Taken::Nothing);
        };
        if let Item::Pieces { bytes, borders } = first
            && let Some((stream, length)) = borders.pop_front()
        {
            let piece = bytes.split_to(length as usize).freeze();
            if borders.is_empty() {
                state.items.pop_front();
            }
            return Some(Taken::Event(stream.event(piece)));
        }
        match state.items.pop_front()? {
            Item::Event(event) => Some(Taken::Event(event)),
            Item::Report(report) => Some(Taken::Report(report)),
            Item::Pieces { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn piece(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    async fn event(receiver: &mut Receiver) -> Event {
        match receiver.next().await {
            Taken::Event(event) => event,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn everything_comes_in_its_order_and_its_pieces() {
        let (sender, mut receiver) = queue();
        sender.output(Stream::Out, piece("a"));
        sender.output(Stream::Err, piece("b"));
        sender.output(Stream::Out, piece("cd"));
        sender.event(Event::Notice("e".to_owned()));
        let large = Bytes::from(vec![b'f'; SMALL + 1]);
        sender.output(Stream::Out, large.clone());
        sender.output(Stream::Out, piece("g"));
        assert_eq!(event(&mut receiver).await, Event::Stdout(piece("a")));
        // What is added while the first of them are taken does not disturb them.
        sender.output(Stream::Out, piece("h"));
        drop(sender);
        for expected in [
            Event::Stderr(piece("b")),
            Event::Stdout(piece("cd")),
            Event::Notice("e".to_owned()),
            Event::Stdout(large),
            Event::Stdout(piece("g")),
            Event::Stdout(piece("h")),
        ] {
            assert_eq!(event(&mut receiver).await, expected);
        }
        assert!(matches!(receiver.next().await, Taken::Nothing));
        assert!(matches!(receiver.next().await, Taken::Nothing));
    }

    #[tokio::test]
    async fn whoever_waits_is_woken() {
        let (sender, mut receiver) = queue();
        assert!(tokio::time::timeout(Duration::from_millis(20), receiver.next()).await.is_err());
        let waiting = tokio::spawn(async move { event(&mut receiver).await });
        tokio::task::yield_now().await;
        sender.output(Stream::Err, piece("x"));
        assert_eq!(waiting.await.unwrap(), Event::Stderr(piece("x")));
    }

    #[test]
    fn single_bytes_cost_little() {
        assert!(size_of::<Event>() <= 40);
        let (sender, receiver) = queue();
        for n in 0..200_000 {
            sender.output(if n % 2 == 0 { Stream::Out } else { Stream::Err }, piece("x"));
        }
        let state = receiver.0.lock();
        let cost: usize = state
            .items
            .iter()
            .map(|item| match item {
                Item::Pieces { bytes, borders } => {
                    bytes.capacity() + borders.capacity() * size_of::<(Stream, u32)>()
                }
                _ => panic!("a piece on its own"),
            })
            .sum();
        assert!(cost < 200_000 * 24, "{cost}");
    }
}
