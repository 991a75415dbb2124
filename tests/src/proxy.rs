//! A proxy between a tool and the servers that strikes at the Nth request: before it is forwarded, or when it is
//! answered but the answer has not come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::block_on;

const BODY_BYTES_MAX: usize = 4 << 20;
/// How slow the struck request is: long enough for the tool to hear of the signal while it is still under way.
const STRUCK_LATENCY: Duration = Duration::from_millis(400);

/// How a tool is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// Ctrl-C: SIGINT to the process group.
    Stop,
    /// SIGKILL to the process group.
    Kill,
}

/// When within a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The server has not seen the request.
    BeforeForward,
    /// The server has answered; the tool has not seen the answer.
    BeforeAnswer,
}

/// What is to happen, and at which request (from 1).
#[derive(Clone, Copy, Debug)]
pub struct Strike {
    /// The request's number, over both servers.
    pub at: usize,
    /// Before or after the server acts.
    pub moment: Moment,
    /// How.
    pub blow: Blow,
}

struct Shared {
    seen: AtomicUsize,
    strike: Option<Strike>,
    // Which process group to strike; known only once the tool has been started.
    victim: std::sync::OnceLock<Pid>,
    struck: AtomicBool,
    http: reqwest::Client,
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
    pub fn start(upstreams: &[&str], strike: Option<Strike>) -> Result<Self> {
        let shared = Arc::new(Shared {
            seen: AtomicUsize::new(0),
            strike,
            victim: std::sync::OnceLock::new(),
            struck: AtomicBool::new(false),
            http: reqwest::Client::builder().no_proxy().build()?,
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

    /// Names the process group that the strike hits.
    pub fn aim(&self, group: Pid) {
        // Aimed once, right after the tool starts; a second aim would be another tool's.
        let _ = self.shared.victim.set(group);
    }

    /// How many requests have come.
    pub fn seen(&self) -> usize {
        self.shared.seen.load(Ordering::SeqCst)
    }

    /// Whether the signal was sent to a process group that was there.
    pub fn struck(&self) -> bool {
        self.shared.struck.load(Ordering::SeqCst)
    }

    /// What came, one line a request.
    pub fn log(&self) -> Vec<String> {
        self.shared.log.lock().map(|log| log.clone()).unwrap_or_default()
    }
}

async fn listen(route: Route) -> Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let app = Router::new().fallback(handle).with_state(route);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

async fn handle(State(route): State<Route>, request: Request) -> Response {
    let number = route.shared.seen.fetch_add(1, Ordering::SeqCst) + 1;
    route.note(number, &request);
    let strike = route.shared.strike.filter(|strike| strike.at == number);
    if let Some(strike) = strike.filter(|strike| strike.moment == Moment::BeforeForward) {
        route.shared.hit(strike.blow).await;
    }
    let answer = match route.forward(request).await {
        Ok(answer) => answer,
        Err(error) => plain(StatusCode::BAD_GATEWAY, &error.to_string()),
    };
    if let Some(strike) = strike.filter(|strike| strike.moment == Moment::BeforeAnswer) {
        route.shared.hit(strike.blow).await;
    }
    answer
}

impl Shared {
    /// Strikes, then holds the request. A tool that gives it up meanwhile drops this future, and with it the rest.
    async fn hit(&self, blow: Blow) {
        let Some(victim) = self.victim.get() else { return };
        let signal = match blow {
            Blow::Stop => Signal::INT,
            Blow::Kill => Signal::KILL,
        };
        let sent = kill_process_group(*victim, signal).is_ok();
        self.struck.store(sent, Ordering::SeqCst);
        match blow {
            Blow::Stop => tokio::time::sleep(STRUCK_LATENCY).await,
            Blow::Kill => std::future::pending().await,
        }
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

    async fn forward(&self, request: Request) -> Result<Response> {
        let (head, body) = request.into_parts();
        let url = format!("{}{}", self.upstream, head.uri);
        let body = to_bytes(body, BODY_BYTES_MAX).await?;
        let mut headers = head.headers;
        headers.remove("host");
        let sent = self
            .shared
            .http
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
