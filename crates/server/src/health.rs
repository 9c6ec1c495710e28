//! `/healthz`: the process lives. `/readyz`: it can open sessions; with a reason if not.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

use crate::state::{Opening, Service};

pub(crate) fn healthz() -> Response<Body> {
    answer(StatusCode::OK, json!({ "status": "ok" }))
}

pub(crate) fn readyz(service: &Arc<Service>) -> Response<Body> {
    match service.opening() {
        Opening::Ready(ready) => {
            answer(StatusCode::OK, json!({ "ready": true, "environment": ready.environment }))
        }
        Opening::Preparing(how_far) | Opening::Installing(how_far) => {
            answer(StatusCode::SERVICE_UNAVAILABLE, json!({ "ready": false, "reason": how_far }))
        }
        Opening::Failed(why) => {
            answer(StatusCode::SERVICE_UNAVAILABLE, json!({ "ready": false, "reason": why }))
        }
        Opening::Stopping => answer(
            StatusCode::SERVICE_UNAVAILABLE,
            json!({ "ready": false, "reason": "the server is stopping" }),
        ),
    }
}

fn answer(status: StatusCode, body: serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
