//! Output that came when no call ran: kept, within bounds, for the next one.

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::event::{Event, MimeBundle};
use crate::queue::Stream;

/// The most that is kept, bytes.
const LIMIT: usize = 256 << 10;
/// The most bundles that are kept.
const BUNDLES: usize = 16;

/// The most memory that they may cost, bytes.
const COST: usize = 16 << 20;

/// Somebody who waits for what comes between calls.
pub(crate) type Listener = oneshot::Sender<Vec<Event>>;

/// What came late.
#[derive(Debug, Default)]
pub(crate) struct Late {
    events: Vec<Event>,
    bytes: usize,
    bundles: usize,
    cost: usize,
    dropped: u64,
}

impl Late {
    /// Keeps a piece of output.
    pub(crate) fn output(&mut self, stream: Stream, bytes: Bytes) {
        let fits = bytes.len().min(LIMIT - self.bytes);
        self.dropped += (bytes.len() - fits) as u64;
        self.bytes += fits;
        if fits > 0 {
            let bytes = bytes.slice(..fits);
            self.events.push(match stream {
                Stream::Out => Event::LateStdout(bytes),
                Stream::Err => Event::LateStderr(bytes),
            });
        }
    }

    /// Keeps something displayed that costs this much memory.
    pub(crate) fn display(&mut self, bundle: MimeBundle, cost: usize) {
        self.bundles += 1;
        self.cost += cost;
        if self.bundles <= BUNDLES && self.cost <= COST {
            self.events.push(Event::Display(bundle));
        }
    }

    /// Everything, as the words of a kernel that could not be started: they are not late, they are all there is.
    pub(crate) fn take_as_output(&mut self) -> Vec<Event> {
        let events = std::mem::take(self).events.into_iter();
        let told = events.map(|event| match event {
            Event::LateStdout(bytes) => Event::Stdout(bytes),
            Event::LateStderr(bytes) => Event::Stderr(bytes),
            other => other,
        });
        told.collect()
    }

    /// Everything, with a word about what it is. Nothing, if nothing came.
    pub(crate) fn take(&mut self) -> Vec<Event> {
        let left_out = self.left_out();
        let Late { mut events, .. } = std::mem::take(self);
        if events.is_empty() {
            return events;
        }
        events.insert(0, Event::Notice("output of an earlier call, written after it had ended:".to_owned()));
        events.extend(left_out);
        events
    }

    /// Gives everything to whoever waits for it, if there is something, and they still do; gives them back otherwise.
    pub(crate) fn give(&mut self, to: Listener) -> Option<Listener> {
        if self.events.is_empty() || to.is_closed() {
            return Some(to).filter(|to| !to.is_closed());
        }
        let left_out = self.left_out();
        let Late { mut events, bytes, bundles, cost, dropped } = std::mem::take(self);
        let own = events.len();
        events.extend(left_out);
        if let Err(mut events) = to.send(events) {
            // They went away in this moment: it is for the next call, as if nobody had waited.
            events.truncate(own);
            *self = Late { events, bytes, bundles, cost, dropped };
        }
        None
    }

    /// What is said of that which was not kept.
    fn left_out(&self) -> Option<Event> {
        let Late { dropped, bundles, .. } = self;
        (*dropped > 0 || *bundles > BUNDLES).then(|| {
            Event::Notice(format!(
                "more came between the calls than is kept: {dropped} bytes and {} displays are gone",
                bundles.saturating_sub(BUNDLES)
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_output_is_told_once_and_called_late() {
        let mut late = Late::default();
        assert_eq!(late.take(), []);
        late.output(Stream::Out, Bytes::from_static(b"a"));
        late.output(Stream::Err, Bytes::from_static(b"b"));
        let events = late.take();
        assert!(matches!(events[0], Event::Notice(_)));
        assert_eq!(
            events[1..],
            [Event::LateStdout(Bytes::from_static(b"a")), Event::LateStderr(Bytes::from_static(b"b"))]
        );
        assert_eq!(late.take(), []);
    }

    #[test]
    fn whoever_waits_is_given_it_and_nobody_who_has_gone() {
        let (mut late, text) = (Late::default(), Bytes::from_static(b"a"));
        let (to, mut given) = oneshot::channel();
        let to = late.give(to).expect("nothing came yet");
        late.output(Stream::Out, text.clone());
        assert!(late.give(to).is_none());
        assert_eq!(given.try_recv().unwrap(), [Event::LateStdout(text.clone())]);
        assert_eq!(late.take(), []);
        let (to, given) = oneshot::channel();
        drop(given);
        late.output(Stream::Out, text.clone());
        assert!(late.give(to).is_none());
        assert_eq!(late.take()[1..], [Event::LateStdout(text)]);
    }

    #[test]
    fn a_flood_is_cut_and_counted() {
        let mut late = Late::default();
        for _ in 0..3 {
            late.output(Stream::Out, Bytes::from(vec![b'x'; 200 << 10]));
        }
        for _ in 0..20 {
            late.display(MimeBundle::default(), 1);
        }
        let events = late.take();
        let bytes: usize = events
            .iter()
            .map(|event| if let Event::LateStdout(bytes) = event { bytes.len() } else { 0 })
            .sum();
        assert_eq!(bytes, LIMIT);
        assert_eq!(events.iter().filter(|event| matches!(event, Event::Display(_))).count(), BUNDLES);
        let Some(Event::Notice(said)) = events.last() else { panic!("{events:?}") };
        assert!(said.contains("352256 bytes and 4 displays"), "{said}");
    }
}
