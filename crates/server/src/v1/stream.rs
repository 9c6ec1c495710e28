//! A call's answer: its events as they come, and its report.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use bytes::Bytes;
use serde_json::{Value, json};
use session::Call;

use crate::pieces::Pieces;
use crate::request_id::RequestId;

use super::lines::{self, Lines};

/// How often a stream in which nothing happens says that it is alive.
const ALIVE: Duration = Duration::from_secs(10);

/// The answer of a call that was sent.
pub(super) fn of(call: Call) -> Response<Body> {
    let (pieces, body) = Pieces::new();
    RequestId::spawn(speak(pieces, call));
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response
}

/// Tells everything. It ends when the client has gone; the call does not.
async fn speak(pieces: Pieces, call: Call) {
    let _ = tell(&pieces, call).await;
}

/// None: nobody listens any more.
async fn tell(pieces: &Pieces, mut call: Call) -> Option<()> {
    let mut lines = Lines::default();
    line(pieces, &json!({ "type": "started", "call": call.id().to_string() })).await?;
    loop {
        let told = tokio::select! {
            event = call.next() => match event {
                Some(event) => lines.event(&event),
                None => break,
            },
            () = tokio::time::sleep(ALIVE) => Some(json!({ "type": "alive" })),
        };
        if let Some(told) = told {
            line(pieces, &told).await?;
        }
    }
    for told in lines.rest() {
        line(pieces, &told).await?;
    }
    line(pieces, &lines::report(&call.report().await)).await
}

async fn line(pieces: &Pieces, told: &Value) -> Option<()> {
    pieces.send(Bytes::from(format!("{told}\n"))).await
}
