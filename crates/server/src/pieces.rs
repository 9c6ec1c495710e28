//! A body whose pieces come one by one, as somebody sends them.
//!
//! Rejected: the channel of http-body-util (0.1.5). It looks for a piece and then, apart from that, whether its sender is
//! gone; a last piece that is sent between the two is lost, which was one answer of a thousand on a busy machine.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::mpsc;

/// Sends the pieces of a body, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Pieces(mpsc::Sender<Bytes>);

impl Pieces {
    /// A body, and who sends its pieces.
    pub(crate) fn new() -> (Pieces, Body) {
        let (sender, receiver) = mpsc::channel(1);
        (Pieces(sender), Body::new(Coming(receiver)))
    }

    /// Sends a piece, when the one before it was taken. `None` if nobody reads the body any more.
    pub(crate) async fn send(&self, piece: Bytes) -> Option<()> {
        self.0.send(piece).await.ok()
    }
}

struct Coming(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Coming {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.get_mut().0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_last_piece_is_never_lost() {
        for _ in 0..50_000 {
            let (pieces, body) = Pieces::new();
            let read = tokio::spawn(body.collect());
            tokio::spawn(async move { pieces.send(Bytes::from_static(b"last")).await });
            assert_eq!(read.await.unwrap().unwrap().to_bytes(), "last");
        }
    }

    #[tokio::test]
    async fn who_sends_to_nobody_is_told() {
        let (pieces, body) = Pieces::new();
        drop(body);
        assert_eq!(pieces.send(Bytes::new()).await, None);
    }
}
