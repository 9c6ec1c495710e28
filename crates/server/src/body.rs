//! Reading a request's body.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::Instant;

use crate::budget::{Budget, Share};
use crate::fault::{Fault, Kind};

/// How long a client may pause within a body.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a whole body may take, and how many bytes a second it must have beyond that.
const WHOLE: Duration = Duration::from_secs(60);
const RATE: u64 = 256 << 10;

/// Reads a body of at most so many bytes.
pub(crate) async fn read(
    mut body: Body,
    headers: &HeaderMap,
    limit: u64,
    memory: &Budget,
) -> Result<(Bytes, Share), Fault> {
    let told = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let too_large =
        || Fault::validation(format!("the body is larger than the {limit} bytes that this operation takes"));
    if told.is_some_and(|told| told > limit) {
        return Err(too_large());
    }
    let (mut all, mut share) = (BytesMut::new(), Share::default());
    let begun = Instant::now();
    loop {
        let end = begun + WHOLE + Duration::from_secs(all.len() as u64 / RATE);
        let frame = tokio::time::timeout_at(end.min(Instant::now() + SILENCE), body.frame())
            .await
            .map_err(|_| Fault::validation("the body came too slowly, or stopped"))?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| Fault::validation("the body ended before its length"))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = all.len() as u64 + data.len() as u64;
        if length > limit {
            return Err(too_large());
        }
        if !memory.grow(&mut share, length).await {
            let message = "this server is reading as much as it can hold; try again";
            return Err(Fault::new(Kind::Throttling, message));
        }
        if all.is_empty() {
            // To what was told, now that the first bytes of it are there: growing step by step would copy it all.
            all.reserve(usize::try_from(told.unwrap_or(0)).unwrap_or(0));
        }
        all.extend_from_slice(&data);
    }
    Ok((all.freeze(), share))
}
