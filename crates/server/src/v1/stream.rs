//! A call's answer: its events as they come, and its report.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use serde_json::{Value, json};
use session::Call;

use crate::request_id::RequestId;

use super::lines::{self, Lines};

/// How often a stream in which nothing happens says that it is alive.
const ALIVE: Duration = Duration::from_secs(10);

/// The answer of a call that was sent.
pub(super) fn of(call: Call) -> Response<Body> {
    let (sender, body) = Channel::<Bytes, Infallible>::new(1);
    RequestId::spawn(speak(sender, call));
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response
}

/// Tells everything. It ends when the client has gone; the call does not.
async fn speak(mut sender: Sender<Bytes>, call: Call) {
    let _ = tell(&mut sender, call).await;
}

/// None: nobody listens any more.
async fn tell(sender: &mut Sender<Bytes>, mut call: Call) -> Option<()> {
    let mut lines = Lines::default();
    line(sender, &json!({ "type": "started", "call": call.id().to_string() })).await?;
    loop {
        let told = tokio::select! {
            event = call.next() => match event {
                Some(event) => lines.event(&event),
                None => break,
            },
            () = tokio::time::sleep(ALIVE) => Some(json!({ "type": "alive" })),
        };
        if let Some(told) = told {
            line(sender, &told).await?;
        }
    }
    for told in lines.rest() {
        line(sender, &told).await?;
    }
    line(sender, &lines::report(&call.report().await)).await
}

async fn line(sender: &mut Sender<Bytes>, told: &Value) -> Option<()> {
    sender.send_data(Bytes::from(format!("{told}\n"))).await.ok()
}
