//! The edge: AWS's wire forms on one port.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! calls cbor edge gzip serve signature xml   who called what; bodies of requests and answers; what handlers share; connections; who signed
//! reply                      answers and refusals in the form of the client's protocol
//! guard query target         what is refused unread; which operation a request names
//! carrier poll tail          sends deliveries over HTTP; ReceiveMessage that waits; StartLiveTail's stream
//! local/                     `/_local/…`
//! ```

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, HOST};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use tokio::sync::Semaphore;

use crate::assumptions::UnknownMembers;
use crate::change;
use crate::config::Config;
use crate::engine::Engine;
use crate::fault::Fault;
use crate::injection::{Faults, HttpError};
use crate::model::Service;
use crate::ops::Output;

mod calls;
pub(crate) mod carrier;
pub(crate) mod cbor;
mod edge;
mod guard;
mod gzip;
mod local;
mod poll;
mod query;
mod reply;
pub(crate) mod serve;
mod signature;
mod tail;
mod target;
mod xml;

use calls::Calls;
use edge::{BODY_BYTES_MAX, Edge};
pub(crate) use reply::Wire;

/// How long a request's body may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// The whole service.
pub(crate) fn app(config: &Config, engine: Arc<Engine>) -> Router {
    let edge = Arc::new(Edge {
        engine,
        calls: Calls::default(),
        faults: Faults::default(),
        tails: Arc::new(Semaphore::new(tail::SESSIONS_MAX)),
        default_region: config.region.clone(),
        check_region: config.check_region,
        unknown_members: config.assumptions.unknown_members,
    });
    let guard = Arc::new(guard::Guard {
        any_host: config.allow_remote,
    });
    Router::new()
        .route("/healthz", get(local::health))
        .route("/_local/reset", post(local::reset))
        .route("/_local/clock", get(local::clock).post(local::move_clock))
        .route("/_local/events", get(local::stories::list))
        .route("/_local/events/{id}", get(local::stories::one))
        .route("/_local/invocations", get(local::stories::invocations))
        .route("/_local/metrics", get(local::stories::metrics))
        .route("/_local/calls", get(local::calls))
        .route(
            "/_local/faults",
            get(local::faults)
                .post(local::add_fault)
                .delete(local::clear_faults),
        )
        .fallback(aws)
        .layer(axum::middleware::from_fn_with_state(guard, guard::check))
        .with_state(edge)
}

async fn aws(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let unread = |fault: &Fault| target::wire(&head.headers, head.uri.path()).fault(fault);
    let too_large = || {
        unread(&with_status(
            413,
            "RequestEntityTooLargeException",
            "The request body is too large or broken.",
        ))
    };
    if head
        .headers
        .get(CONTENT_LENGTH)
        .is_some_and(|length| !is_allowed(length))
    {
        return too_large();
    }
    let bytes = match tokio::time::timeout(BODY_WITHIN, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return too_large(),
        Err(_) => {
            return unread(&with_status(
                408,
                "RequestTimeoutException",
                "The request body did not come in time.",
            ));
        }
    };
    let bytes = match gzip::decode(&head.headers, bytes) {
        Ok(bytes) => bytes,
        Err(fault) => return unread(&fault),
    };
    let (wire, request) = read(&edge.default_region, &head.headers, &head.uri, &bytes);
    match request {
        Ok(mut request) => {
            if edge.unknown_members == UnknownMembers::Ignored {
                request.leave_out_unknown_members();
            }
            if let Err(why) = (edge.check_region)(&request.region) {
                return wire.no_region(request.service, &request.region, &why);
            }
            let operation = format!("{}:{}", request.service.prefix(), request.operation);
            edge.calls.count(&operation, &head.headers);
            answer(&edge, wire, &request, &operation).await
        }
        Err(fault) => wire.fault(&fault),
    }
}

/// Carries a request out, unless a fault that was asked for comes between.
async fn answer(edge: &Arc<Edge>, wire: Wire, request: &change::Request, operation: &str) -> Response {
    let carried_out = async {
        let answer = match poll::call(&edge.engine, request).await {
            Ok(Output::Tail(session)) => match tail::answer(edge, *session) {
                Ok(stream) => return stream,
                Err(fault) => Err(fault),
            },
            other => other,
        };
        wire.answer(request.service, &request.operation, answer)
    };
    let Some(hit) = edge.faults.meet(operation) else {
        return carried_out.await;
    };
    let answer = if hit.is_carried_out() {
        carried_out.await
    } else {
        Response::default()
    };
    let answer = match hit.error() {
        Some(error) => injected(wire, request.service, error),
        None => answer,
    };
    hit.spoil(answer).await
}

fn injected(wire: Wire, service: Service, error: &HttpError) -> Response {
    let fault = Fault {
        code: error.code.clone().map_or("InternalFailure".into(), Into::into),
        message: error.message.clone(),
        status: error.status,
    };
    wire.answer(service, "", Err(fault))
}

/// What a request asks for, and the form that its caller reads.
pub(crate) fn read(
    default_region: &str,
    headers: &HeaderMap,
    uri: &Uri,
    body: &[u8],
) -> (Wire, Result<change::Request, Fault>) {
    let signed = signature::read(headers, uri.query());
    let (wire, call) = target::read(headers, uri.path(), uri.query(), body);
    let request = call.map(|(service, operation, body)| change::Request {
        service,
        operation,
        key: signed.key,
        region: signed.region.unwrap_or_else(|| default_region.to_owned()),
        body,
        base_url: base_url(headers),
    });
    (wire, request)
}

fn is_allowed(length: &HeaderValue) -> bool {
    let bytes = length.to_str().ok().and_then(|text| text.parse::<usize>().ok());
    bytes.is_some_and(|bytes| bytes <= BODY_BYTES_MAX)
}

fn with_status(status: u16, code: &'static str, why: &str) -> Fault {
    Fault {
        status,
        ..Fault::new(code, why)
    }
}

/// The address that a client used, for URLs in answers.
fn base_url(headers: &HeaderMap) -> String {
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    format!("http://{host}")
}
