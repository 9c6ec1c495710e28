//! What every request must show before its body is read.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Request, header};
use hyper::body::Body as HttpBody;

use crate::fault::{Fault, Kind};

/// The most headers of a request; clients of AWS send about fifteen.
const HEADERS: usize = 100;
/// The most bytes of all of them.
const HEADER_BYTES: usize = 32 << 10;

/// The checks of a server at one address.
#[derive(Debug)]
pub(super) struct Checks {
    listens: SocketAddr,
}

impl Checks {
    pub(super) fn new(listens: SocketAddr) -> Checks {
        Checks { listens }
    }

    pub(super) fn check<B: HttpBody>(&self, request: &Request<B>) -> Result<(), Fault> {
        let headers = request.headers();
        let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if headers.len() > HEADERS || size > HEADER_BYTES {
            let message = format!("a request has {HEADERS} headers and {HEADER_BYTES} bytes of them at most");
            return Err(Fault::validation(message));
        }
        if self.listens.ip().is_loopback() {
            let host = one(headers, header::HOST)?
                .or_else(|| request.uri().authority().map(axum::http::uri::Authority::as_str));
            if !host.is_some_and(is_loopback) {
                return Err(refused("the Host of a request must be `localhost` or a loopback address"));
            }
            let origin = one(headers, header::ORIGIN)?;
            if !origin
                .is_none_or(|origin| origin.split_once("://").is_some_and(|(_, host)| is_loopback(host)))
            {
                return Err(refused("requests of web pages from elsewhere are refused"));
            }
        }
        // One that is not named would be what a page can send, too.
        let kind = one(headers, header::CONTENT_TYPE)?;
        if kind.map_or_else(|| !request.body().is_end_stream(), |kind| !is_json(kind)) {
            return Err(Fault::validation(
                "the body of a request must be JSON: `content-type: application/json`",
            ));
        }
        Ok(())
    }
}

fn refused(message: &str) -> Fault {
    Fault::new(Kind::AccessDenied, message)
}

/// The one value of a header; two of them mean that somebody in between reads another one than we do.
fn one(headers: &HeaderMap, name: header::HeaderName) -> Result<Option<&str>, Fault> {
    let mut values = headers.get_all(&name).iter();
    let first = values.next().map(|value| value.to_str());
    match (first, values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(value)), None) => Ok(Some(value)),
        _ => Err(Fault::validation(format!("the header `{name}` must come once, and in plain text"))),
    }
}

fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    kind == "application/json" || kind.starts_with("application/x-amz-json-")
}

/// Whether this host, with or without a port, is this machine as itself.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let local = name.trim_end_matches('.').to_ascii_lowercase();
    local == "localhost"
        || local.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listens: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::new(axum::body::Body::empty());
        for (name, value) in headers {
            request
                .headers_mut()
                .append(header::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        Checks::new(listens.parse().unwrap()).check(&request).is_ok()
    }

    #[test]
    fn only_this_machine_is_a_host_of_a_loopback_address() {
        for host in [
            "localhost",
            "localhost:8080",
            "127.0.0.1:8080",
            "127.1.2.3",
            "[::1]:8080",
            "x.localhost:1",
            "LOCALHOST.",
        ] {
            assert!(check("127.0.0.1:8080", &[("host", host)]), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example:8080",
            "localhost.evil.example",
            "[::2]:80",
            "10.0.0.1",
            "",
            "[",
            ":",
        ] {
            assert!(!check("127.0.0.1:8080", &[("host", host)]), "{host}");
        }
        assert!(!check("127.0.0.1:8080", &[]));
        assert!(!check("127.0.0.1:8080", &[("host", "localhost"), ("host", "evil.example")]));
        assert!(check("10.0.0.1:8080", &[("host", "cellblock.example")]));
    }

    #[test]
    fn a_page_from_elsewhere_is_refused() {
        let from = |origin| check("127.0.0.1:8080", &[("host", "localhost"), ("origin", origin)]);
        assert!(from("http://localhost:3000") && from("http://127.0.0.1"));
        for origin in ["https://evil.example", "null", "http://localhost.evil.example", ""] {
            assert!(!from(origin), "{origin}");
        }
    }

    #[test]
    fn a_flood_of_headers_is_refused() {
        let value = "x".repeat(1000);
        let flood = |count: usize, value: &str| {
            let mut headers = vec![("host", "localhost")];
            headers.extend(std::iter::repeat_n(("x-flood", value), count));
            check("127.0.0.1:8080", &headers)
        };
        assert!(flood(90, "x") && flood(20, &value));
        assert!(!flood(100, "x") && !flood(40, &value));
    }

    #[test]
    fn a_body_that_does_not_say_what_it_is_is_refused() {
        let checks = Checks::new("10.0.0.1:8080".parse().unwrap());
        assert!(checks.check(&Request::new(axum::body::Body::from("{}"))).is_err());
        assert!(checks.check(&Request::new(axum::body::Body::empty())).is_ok());
    }

    #[test]
    fn a_body_is_json() {
        let of = |kind| check("10.0.0.1:8080", &[("content-type", kind)]);
        assert!(
            of("application/json")
                && of("Application/JSON; charset=utf-8")
                && of("application/x-amz-json-1.1")
        );
        assert!(!of("text/plain") && !of("multipart/form-data; boundary=x") && !of("application/jsonx"));
    }
}
