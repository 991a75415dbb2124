//! A proxy between a tool and the servers with a script: it injects one fault, or forces an order of requests.
//!
//! A fault is a signal to the tool's process group at one request: before the request is forwarded, or after the server has
//! answered and before the answer is returned. An order holds one request until another one was answered.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::sync::SetOnce;

use crate::group::members;
use crate::http;
use crate::runtime::{block_on, spawn};

#[cfg(test)]
mod tests;

const BODY_BYTES_MAX: usize = 4 << 20;
/// Latency of the request at which Ctrl-C is sent: long enough for the tool to handle the signal while it is under way.
const INTERRUPTED_LATENCY: Duration = Duration::from_millis(400);
/// What the name of a provider's process begins with, which the system cuts at 15 bytes.
const PROVIDER: &str = "terraform-provi";
/// The exit code of a tool that reports an error, as it does after Ctrl-C.
const FAILED: i32 = 1;
/// The exit code of a process that SIGKILL ended.
const KILLED: i32 = 137;

/// The signal that a fault sends, to the tool's process group where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultSignal {
    /// SIGINT, as Ctrl-C sends it.
    Interrupt,
    /// SIGINT twice, as an impatient user sends it.
    InterruptTwice,
    /// SIGKILL.
    Kill,
    /// SIGKILL to the tool alone.
    KillTool,
    /// SIGKILL to the providers that the tool has started.
    KillProviders,
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

/// A request by what it is, whenever it comes.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The end of AWS's operation (`DeleteRule`), or of method and path of Scalr's (`PATCH …/audit-log-setting`).
    pub call: &'static str,
    /// A text in its body.
    pub body: &'static str,
}

/// `then` is forwarded once `first` was answered.
#[derive(Clone, Debug)]
pub struct Order {
    /// What comes first.
    pub first: Pattern,
    /// What is held until then.
    pub then: Pattern,
}

/// What a proxy does beside forwarding.
#[derive(Clone, Debug)]
pub enum Script {
    /// Nothing.
    Forward,
    /// One fault.
    Fault(Fault),
    /// A signal at the first request of a kind.
    SignalAt(Pattern, Moment, FaultSignal),
    /// These orders.
    Orders(Vec<Order>),
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
            (
                Self::Sent,
                FaultSignal::Interrupt | FaultSignal::InterruptTwice | FaultSignal::KillProviders,
            ) => code == FAILED,
            (Self::Sent, FaultSignal::Kill | FaultSignal::KillTool) => code == KILLED,
            (Self::NotReached | Self::GroupEnded, _) => false,
        }
    }
}

struct Shared {
    seen: AtomicUsize,
    script: Script,
    /// For each order, whether its first request was answered.
    answered: Vec<SetOnce<()>>,
    /// Known only once the tool has been started.
    group: SetOnce<Pid>,
    /// Whether the request of the fault has come.
    has_come: AtomicBool,
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
    pub fn start(upstreams: &[&str], script: Script) -> Result<Self> {
        let orders = if let Script::Orders(orders) = &script {
            orders.len()
        } else {
            0
        };
        let shared = Arc::new(Shared {
            seen: AtomicUsize::new(0),
            script,
            answered: std::iter::repeat_with(SetOnce::new).take(orders).collect(),
            group: SetOnce::new(),
            has_come: AtomicBool::new(false),
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
        if self.shared.has_come.load(Ordering::SeqCst) {
            *block_on(self.shared.injected.wait())
        } else {
            Injection::NotReached
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
    let request = match Whole::read(request).await {
        Ok(request) => request,
        Err(error) => return plain(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    shared.note(number, &request);
    match &shared.script {
        Script::Fault(fault) if fault.request == number => {
            let (moment, signal) = (fault.moment, fault.signal);
            shared.has_come.store(true, Ordering::SeqCst);
            struck(route, request, moment, signal).await
        }
        Script::SignalAt(pattern, moment, signal)
            if pattern.is(&request) && !shared.has_come.swap(true, Ordering::SeqCst) =>
        {
            struck(route, request, *moment, *signal).await
        }
        Script::Orders(orders) => in_order(&route, &shared, orders, request).await,
        _ => route.forward(request).await,
    }
}

async fn struck(route: Route, request: Whole, moment: Moment, signal: FaultSignal) -> Response {
    let shared = Arc::clone(&route.shared);
    match moment {
        Moment::BeforeForward => {
            undropped(async move { shared.inject(signal).await }).await;
            hold(signal).await;
            route.forward(request).await
        }
        Moment::BeforeAnswer => {
            let answer = undropped(async move {
                let answer = route.forward(request).await;
                shared.inject(signal).await;
                answer
            });
            let answer = answer.await;
            hold(signal).await;
            answer.unwrap_or_else(|| plain(StatusCode::INTERNAL_SERVER_ERROR, "the proxy panicked"))
        }
    }
}

async fn in_order(route: &Route, shared: &Shared, orders: &[Order], request: Whole) -> Response {
    let each = || orders.iter().zip(&shared.answered);
    for (_, answered) in each().filter(|(order, _)| order.then.is(&request)) {
        answered.wait().await;
    }
    let firsts: Vec<_> = each().filter(|(order, _)| order.first.is(&request)).collect();
    let answer = route.forward(request).await;
    for (_, answered) in firsts {
        // A second request of the kind changes nothing.
        let _ = answered.set(());
    }
    answer
}

/// A request with its body.
struct Whole {
    head: Parts,
    body: Bytes,
}

impl Whole {
    async fn read(request: Request) -> Result<Self> {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, BODY_BYTES_MAX).await?;
        Ok(Self { head, body })
    }

    /// Method and path, and AWS's operation where there is one.
    fn call(&self) -> String {
        let target = self.head.headers.get("x-amz-target");
        let target = target.and_then(|value| value.to_str().ok());
        let line = format!("{} {}", self.head.method, self.head.uri);
        target.map_or(line.clone(), |target| format!("{line} {target}"))
    }
}

impl Pattern {
    fn is(&self, request: &Whole) -> bool {
        let call = request.call();
        let (begins, ends) = self.call.split_once('…').unwrap_or(("", self.call));
        call.starts_with(begins)
            && call.ends_with(ends)
            && String::from_utf8_lossy(&request.body).contains(self.body)
    }
}

/// Runs to its end even where the future that waits for it is dropped; none if it panics.
async fn undropped<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    spawn(work).await.ok()
}

/// Keeps the request under way while the tool handles the signal; one that is killed never gets an answer.
async fn hold(signal: FaultSignal) {
    match signal {
        FaultSignal::Interrupt | FaultSignal::InterruptTwice => tokio::time::sleep(INTERRUPTED_LATENCY).await,
        FaultSignal::Kill | FaultSignal::KillTool | FaultSignal::KillProviders => {
            std::future::pending::<()>().await;
        }
    }
}

impl Shared {
    fn note(&self, number: usize, request: &Whole) {
        if let Ok(mut log) = self.log.lock() {
            log.push(format!("{number} {}", request.call()));
        }
    }

    async fn inject(&self, signal: FaultSignal) {
        let group = *self.group.wait().await;
        let sent = match signal {
            FaultSignal::Interrupt => kill_process_group(group, Signal::INT),
            FaultSignal::InterruptTwice => {
                let first = kill_process_group(group, Signal::INT);
                tokio::time::sleep(INTERRUPTED_LATENCY).await;
                // The first may have ended it already.
                let _ = kill_process_group(group, Signal::INT);
                first
            }
            FaultSignal::Kill => kill_process_group(group, Signal::KILL),
            FaultSignal::KillTool => kill_process(group, Signal::KILL),
            FaultSignal::KillProviders => kill_providers(group),
        };
        let injection = match sent {
            Ok(()) => Injection::Sent,
            Err(_) => Injection::GroupEnded,
        };
        // One request has the fault's number, so this is set once.
        let _ = self.injected.set(injection);
    }
}

/// Kills the providers of a process group; an error where there is none.
fn kill_providers(group: Pid) -> Result<(), Errno> {
    let providers = members(group)
        .into_iter()
        .filter(|(_, name)| name.starts_with(PROVIDER));
    let killed = providers.map(|(process, _)| kill_process(process, Signal::KILL));
    killed.reduce(Result::or).unwrap_or(Err(Errno::SRCH))
}

impl Route {
    async fn forward(&self, request: Whole) -> Response {
        self.exchange(request)
            .await
            .unwrap_or_else(|error| plain(StatusCode::BAD_GATEWAY, &error.to_string()))
    }

    async fn exchange(&self, request: Whole) -> Result<Response> {
        let Whole { head, body } = request;
        let url = format!("{}{}", self.upstream, head.uri);
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
