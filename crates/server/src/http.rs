//! The listener: connections, their limits, and the way of a request to its edge.
//!
//! **Limits.** So many connections, a header within a time and of a size, a body that moves. A client that is slow or
//! vanishes costs its own connection and nothing else. What the HTTP library itself cannot read (a header larger than
//! its buffer) is answered by it, without a body.
//!
//! **A browser is not a client.** A page of any origin can make a browser send requests to a loopback address, and DNS
//! can be made to name it so: the Host must be one of ours, an Origin is refused unless it is, and a body must be JSON,
//! which a page cannot send across origins without asking first.

mod checks;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use session::Principal;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::agentcore;
use crate::fault::{Fault, Kind};
use crate::health;
use crate::mcp;
use crate::request_id::RequestId;
use crate::state::Service;
use crate::v1;

use checks::Checks;

/// How long a client may take to send a header, and how long a connection may wait for the next request.
const HEADER_TIME: Duration = Duration::from_secs(60);
/// The size of the buffer that a header must fit into, bytes.
const HEADER_BUFFER: usize = 64 << 10;
/// The most headers that are read at all. Fewer are accepted, but whoever sends more than that is told so.
const HEADERS: usize = 2000;
/// How long accepting pauses when the system has no descriptor left.
const PAUSE: Duration = Duration::from_millis(50);

/// How a server listens.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections at the same time.
    pub connections: usize,
    /// How long connections may take to end when the server is stopped. Whoever stops it ends the sessions within that
    /// time, so that calls that still run are told so.
    pub grace: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options { connections: 1024, grace: Duration::from_secs(20) }
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    options: Options,
    edges: Arc<Edges>,
}

/// What requests meet.
#[derive(Debug)]
struct Edges {
    checks: Checks,
    service: Arc<Service>,
    mcp: mcp::Http,
}

impl Server {
    /// A server on this listener.
    pub fn new(listener: TcpListener, service: Arc<Service>, options: Options) -> std::io::Result<Server> {
        let checks = Checks::new(listener.local_addr()?);
        let mcp = mcp::Http::new(service.clone());
        Ok(Server { listener, options, edges: Arc::new(Edges { checks, service, mcp }) })
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` becomes true, and then until what runs has ended or the time for that is up.
    pub async fn serve(self, mut stop: watch::Receiver<bool>) {
        let room = Arc::new(Semaphore::new(self.options.connections));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = stopped(&mut stop) => break,
                accepted = accept(&self.listener, &room) => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let Some((stream, client, place)) = accepted else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let (edges, stop) = (self.edges.clone(), stop.clone());
            connections.spawn(async move {
                connection(stream, client, edges, stop).await;
                drop(place);
            });
        }
        drop(self.listener);
        let ended = async {
            let all = async { while connections.join_next().await.is_some() {} };
            tokio::join!(all, self.edges.mcp.close())
        };
        if tokio::time::timeout(self.options.grace, ended).await.is_err() {
            tracing::warn!("{} connections were cut: their requests took too long to end", connections.len());
        }
    }
}

/// When the server is to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// The next connection, when there is room for one; none, if the system refuses it for the moment.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> Option<Accepted> {
    let place = room.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, client)) => Some((stream, client, place)),
        Err(error) => {
            tracing::warn!("accept a connection: {error}");
            None
        }
    }
}

async fn connection(
    stream: TcpStream,
    client: SocketAddr,
    edges: Arc<Edges>,
    mut stop: watch::Receiver<bool>,
) {
    // Frames of a stream are small, and somebody waits for each.
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| {
        let edges = edges.clone();
        async move { Ok::<_, Infallible>(answer(request, client, &edges).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_BUFFER)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), answer);
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = &mut served => ended,
        () = stopped(&mut stop) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%client, "a connection ended: {error}");
    }
}

/// Answers a request under an id of its own.
async fn answer(request: Request<Incoming>, client: SocketAddr, edges: &Edges) -> Response<Body> {
    let id = RequestId::new();
    let span = tracing::info_span!("request", %id, %client);
    let begun = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let work = async {
        let mut response = match edges.checks.check(&request) {
            Ok(()) => route(request.map(Body::new), edges).await,
            Err(fault) if v1::serves(&path) => v1::refuse(&fault),
            Err(fault) => fault.response(),
        };
        if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
            response.headers_mut().insert("x-amzn-requestid", value);
        }
        let status = response.status().as_u16();
        tracing::info!(%method, path, status, ms = begun.elapsed().as_millis() as u64, "answered");
        response
    };
    id.scope(work.instrument(span)).await
}

/// To the edge whose path it is.
async fn route(request: Request<Body>, edges: &Edges) -> Response<Body> {
    // No keys are configured: whoever reaches the listener is the one principal there is.
    let principal = Principal::local();
    let service = &edges.service;
    match request.uri().path() {
        "/healthz" => health::healthz(),
        "/readyz" => health::readyz(service),
        mcp::PATH => edges.mcp.serve(request, principal).await,
        path if agentcore::serves(path) => agentcore::serve(request, service.clone(), principal).await,
        path if v1::serves(path) => v1::serve(request, service.clone(), principal).await,
        path => {
            let path: String = path.chars().take(100).collect();
            Fault::new(Kind::UnknownOperation, format!("there is nothing at `{path}`")).response()
        }
    }
}
