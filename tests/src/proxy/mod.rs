//! A proxy between a tool and the servers that injects one fault: at the Nth request it signals the tool's process group,
//! before the request is forwarded, or after the server has answered and before the answer is returned.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::SetOnce;

use crate::http;
use crate::runtime::{block_on, spawn};

#[cfg(test)]
mod tests;

const BODY_BYTES_MAX: usize = 4 << 20;
/// Latency of the request at which Ctrl-C is sent: long enough for the tool to handle the signal while it is under way.
const INTERRUPTED_LATENCY: Duration = Duration::from_millis(400);
/// The exit code of a tool that reports an error, as it does after Ctrl-C.
const FAILED: i32 = 1;
/// The exit code of a process that SIGKILL ended.
const KILLED: i32 = 137;

/// The signal that a fault sends to the tool's process group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultSignal {
    /// SIGINT, as Ctrl-C sends it.
    Interrupt,
    /// SIGKILL.
    Kill,
}

/// When within a request the signal is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The server has not seen the request.
    BeforeForward,
    /// The server has answered; the tool has not seen the answer.
    BeforeAnswer,
}

/// A fault to inject.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// The request's number, from 1, counted over both servers.
    pub request: usize,
    /// Before or after the server acts.
    pub moment: Moment,
    /// The signal.
    pub signal: FaultSignal,
}

/// What became of the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// The request never came.
    NotReached,
    /// The signal was sent.
    Sent,
    /// The process group had ended by itself, and its exit code had been read, when the signal was due.
    GroupEnded,
}

impl Injection {
    /// Whether the tool may end with this exit code.
    pub fn allows(self, signal: FaultSignal, code: i32) -> bool {
        match (self, signal) {
            // A tool that has ended by itself can still be signalled until its parent has read the exit code.
            _ if code == 0 => true,
            (Self::Sent, FaultSignal::Interrupt) => code == FAILED,
            (Self::Sent, FaultSignal::Kill) => code == KILLED,
            (Self::NotReached | Self::GroupEnded, _) => false,
        }
    }
}

struct Shared {
    seen: AtomicUsize,
    fault: Option<Fault>,
    /// Known only once the tool has been started.
    group: SetOnce<Pid>,
    injected: SetOnce<Injection>,
    log: std::sync::Mutex<Vec<String>>,
}

/// A proxy with one listener for each upstream and one count over all of them.
pub struct Proxy {
    shared: Arc<Shared>,
    /// The addresses to use in place of the upstreams', in their order.
    pub addresses: Vec<String>,
}

#[derive(Clone)]
struct Route {
    upstream: String,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens once for each upstream (`http://host:port`).
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(upstreams: &[&str], fault: Option<Fault>) -> Result<Self> {
        let shared = Arc::new(Shared {
            seen: AtomicUsize::new(0),
            fault,
            group: SetOnce::new(),
            injected: SetOnce::new(),
            log: std::sync::Mutex::new(Vec::new()),
        });
        let mut addresses = Vec::new();
        for upstream in upstreams {
            let route = Route {
                upstream: (*upstream).to_owned(),
                shared: Arc::clone(&shared),
            };
            addresses.push(block_on(listen(route))?);
        }
        Ok(Self { shared, addresses })
    }

    /// Names the process group to signal. A fault that is due before waits for it.
    pub fn aim(&self, group: Pid) {
        // Set once, right after the tool starts; a second group would be another tool's.
        let _ = self.shared.group.set(group);
    }

    /// How many requests have come.
    pub fn seen(&self) -> usize {
        self.shared.seen.load(Ordering::SeqCst)
    }

    /// What became of the fault. Where its request has come, this waits for the signal: the process that it ends may
    /// otherwise be gone before the signal is on record.
    pub fn injection(&self) -> Injection {
        match self.shared.fault {
            Some(fault) if self.seen() >= fault.request => *block_on(self.shared.injected.wait()),
            _ => Injection::NotReached,
        }
    }

    /// The requests, one line each.
    pub fn log(&self) -> Vec<String> {
        self.shared.log.lock().map(|log| log.clone()).unwrap_or_default()
    }
}

async fn listen(route: Route) -> Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let app = Router::new().fallback(handle).with_state(route);
    spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

/// A tool that gives its request up drops this future, and with it the forwarding, but never the fault.
async fn handle(State(route): State<Route>, request: Request) -> Response {
    let shared = Arc::clone(&route.shared);
    let number = shared.seen.fetch_add(1, Ordering::SeqCst) + 1;
    route.note(number, &request);
    let Some(fault) = shared.fault.filter(|fault| fault.request == number) else {
        return route.forward(request).await;
    };
    match fault.moment {
        Moment::BeforeForward => {
            undropped(async move { shared.inject(fault.signal).await }).await;
            hold(fault.signal).await;
            route.forward(request).await
        }
        Moment::BeforeAnswer => {
            let answer = undropped(async move {
                let answer = route.forward(request).await;
                shared.inject(fault.signal).await;
                answer
            });
            let answer = answer.await;
            hold(fault.signal).await;
            answer.unwrap_or_else(|| plain(StatusCode::INTERNAL_SERVER_ERROR, "the proxy panicked"))
        }
    }
}

/// Runs to its end even where the future that waits for it is dropped; none if it panics.
async fn undropped<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    spawn(work).await.ok()
}

/// Keeps the request under way while the tool handles the signal; one that is killed never gets an answer.
async fn hold(signal: FaultSignal) {
    match signal {
        FaultSignal::Interrupt => tokio::time::sleep(INTERRUPTED_LATENCY).await,
        FaultSignal::Kill => std::future::pending().await,
    }
}

impl Shared {
    async fn inject(&self, signal: FaultSignal) {
        let group = *self.group.wait().await;
        let signal = match signal {
            FaultSignal::Interrupt => Signal::INT,
            FaultSignal::Kill => Signal::KILL,
        };
        let injection = match kill_process_group(group, signal) {
            Ok(()) => Injection::Sent,
            Err(_) => Injection::GroupEnded,
        };
        // One request has the fault's number, so this is set once.
        let _ = self.injected.set(injection);
    }
}

impl Route {
    fn note(&self, number: usize, request: &Request) {
        let target = request
            .headers()
            .get("x-amz-target")
            .and_then(|value| value.to_str().ok());
        let line = format!(
            "{number} {} {} {}",
            request.method(),
            request.uri(),
            target.unwrap_or_default()
        );
        if let Ok(mut log) = self.shared.log.lock() {
            log.push(line);
        }
    }

    async fn forward(&self, request: Request) -> Response {
        self.exchange(request)
            .await
            .unwrap_or_else(|error| plain(StatusCode::BAD_GATEWAY, &error.to_string()))
    }

    async fn exchange(&self, request: Request) -> Result<Response> {
        let (head, body) = request.into_parts();
        let url = format!("{}{}", self.upstream, head.uri);
        let body = to_bytes(body, BODY_BYTES_MAX).await?;
        let mut headers = head.headers;
        headers.remove("host");
        let sent = http::client()
            .request(head.method, url)
            .headers(headers)
            .body(body);
        let answer = sent.send().await?;
        let mut reply = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            if name != "transfer-encoding" && name != "content-length" && name != "connection" {
                reply = reply.header(name, value);
            }
        }
        Ok(reply.body(Body::from(answer.bytes().await?))?)
    }
}

fn plain(status: StatusCode, text: &str) -> Response {
    let mut answer = Response::new(Body::from(text.to_owned()));
    *answer.status_mut() = status;
    answer
}
