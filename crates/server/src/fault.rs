//! Faults: what a client is told when its request cannot be served.
//!
//! The words and statuses are those of AWS's `rest-json` protocol; edges of our own will have theirs.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use crate::request_id::RequestId;

/// The kinds of faults that the AgentCore model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The request is wrong.
    Validation,
    /// What it names is not there.
    NotFound,
    /// It contradicts another request.
    Conflict,
    /// It would be more than there may be.
    Quota,
    /// It came too early or too often; clients of AWS ask again.
    Throttling,
    /// It is not for this client.
    AccessDenied,
    /// It is our fault.
    Internal,
    /// There is no such operation.
    UnknownOperation,
}

impl Kind {
    /// The name of the exception.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Validation => "ValidationException",
            Kind::NotFound => "ResourceNotFoundException",
            Kind::Conflict => "ConflictException",
            Kind::Quota => "ServiceQuotaExceededException",
            Kind::Throttling => "ThrottlingException",
            Kind::AccessDenied => "AccessDeniedException",
            Kind::Internal => "InternalServerException",
            Kind::UnknownOperation => "UnknownOperationException",
        }
    }

    /// Its member's name in an event stream.
    pub(crate) fn member(self) -> &'static str {
        match self {
            Kind::Validation => "validationException",
            Kind::NotFound => "resourceNotFoundException",
            Kind::Conflict => "conflictException",
            Kind::Quota => "serviceQuotaExceededException",
            Kind::Throttling => "throttlingException",
            Kind::AccessDenied => "accessDeniedException",
            Kind::Internal | Kind::UnknownOperation => "internalServerException",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Kind::Validation => StatusCode::BAD_REQUEST,
            Kind::NotFound | Kind::UnknownOperation => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Quota => StatusCode::PAYMENT_REQUIRED,
            Kind::Throttling => StatusCode::TOO_MANY_REQUESTS,
            Kind::AccessDenied => StatusCode::FORBIDDEN,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Why a request is not valid, as the model has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The body cannot be read.
    CannotParse,
    /// A field breaks its rule.
    FieldValidationFailed,
    /// A token was used for another request.
    IdempotentParameterMismatch,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Reason::CannotParse => "CannotParse",
            Reason::FieldValidationFailed => "FieldValidationFailed",
            Reason::IdempotentParameterMismatch => "IdempotentParameterMismatchException",
        }
    }
}

/// One field that breaks its rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FieldFault {
    /// The field, as the client wrote it: `arguments.paths[2]`.
    pub(crate) name: String,
    /// What it must be.
    pub(crate) message: String,
}

/// An error with what is behind it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        chain = format!("{chain}: {error}");
        source = error.source();
    }
    chain
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    reason: Option<Reason>,
    fields: Vec<FieldFault>,
}

impl Fault {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Fault {
        Fault { kind, message: message.into(), reason: None, fields: Vec::new() }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Fault {
        Fault::new(Kind::Validation, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Fault {
        Fault::new(Kind::NotFound, message)
    }

    /// A fault of ours: the client gets a sentence, the log what is behind it.
    pub(crate) fn internal(behind: &dyn std::error::Error) -> Fault {
        tracing::error!("failed to {}", chain(behind));
        Fault::new(Kind::Internal, "cellblock failed; its log says more under this request's id")
    }

    pub(crate) fn because(mut self, reason: Reason) -> Fault {
        self.reason = Some(reason);
        self
    }

    /// Fields that break their rules, all of them at once.
    pub(crate) fn fields(fields: Vec<FieldFault>) -> Fault {
        let count = fields.len();
        let errors = if count == 1 { "error" } else { "errors" };
        let sentences: Vec<String> = fields
            .iter()
            .map(|field| format!("Value at '{}' failed to satisfy constraint: {}", field.name, field.message))
            .collect();
        let message = format!("{count} validation {errors} detected: {}", sentences.join("; "));
        Fault { fields, ..Fault::validation(message) }.because(Reason::FieldValidationFailed)
    }

    /// One field that breaks its rule.
    pub(crate) fn field(name: impl Into<String>, message: impl Into<String>) -> Fault {
        Fault::fields(vec![FieldFault { name: name.into(), message: message.into() }])
    }

    /// The body of an answer, or of an exception in a stream.
    pub(crate) fn json(&self) -> String {
        let mut body = json!({ "message": self.message });
        if self.kind == Kind::Validation {
            body["reason"] = self.reason.map(Reason::name).into();
            body["fieldList"] = if self.fields.is_empty() { json!(null) } else { json!(self.fields) };
        }
        if let Some(id) = RequestId::current() {
            body["requestId"] = id.to_string().into();
        }
        body.to_string()
    }

    /// The answer.
    pub(crate) fn response(&self) -> Response<Body> {
        tracing::debug!(fault = self.kind.name(), "{}", self.message);
        let mut response = Response::new(Body::from(self.json()));
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-amzn-errortype", HeaderValue::from_static(self.kind.name()));
        response
    }
}
