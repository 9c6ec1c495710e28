//! What a client of `/v1` is told when its request cannot be served: a stable code, and a sentence.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

use crate::fault::{Fault, Kind};
use crate::request_id::RequestId;

/// The code and the status of a kind of fault.
fn of(kind: Kind) -> (&'static str, StatusCode) {
    match kind {
        Kind::Validation => ("invalid_request", StatusCode::BAD_REQUEST),
        Kind::NotFound => ("no_such_session", StatusCode::NOT_FOUND),
        Kind::Conflict => ("busy", StatusCode::CONFLICT),
        Kind::Quota => ("too_many", StatusCode::TOO_MANY_REQUESTS),
        Kind::Throttling => ("try_again", StatusCode::SERVICE_UNAVAILABLE),
        Kind::AccessDenied => ("refused", StatusCode::FORBIDDEN),
        Kind::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR),
        Kind::UnknownOperation => ("no_such_operation", StatusCode::NOT_FOUND),
    }
}

/// The answer.
pub(crate) fn response(fault: &Fault) -> Response<Body> {
    let (code, status) = of(fault.kind);
    tracing::debug!(fault = code, "{}", fault.message);
    let id = RequestId::current().map(|id| id.to_string());
    let body = json!({ "error": { "code": code, "message": fault.message }, "request_id": id });
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
