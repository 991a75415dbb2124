//! Connections: how many, how long each may take to ask, and how they end.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::admission::{Admission, Capacity, Guest};
use crate::injection::deliver;

/// How long open requests may take to finish once the server has to stop.
const DRAIN: Duration = Duration::from_secs(2);
/// How long a request's head may take to come, and a connection to lie idle.
const HEAD_WITHIN: Duration = Duration::from_mins(1);
/// Connections at a time. One is known once a request on it was for this server.
const CAPACITY: Capacity = Capacity {
    known_max: 896,
    guests_max: 128,
    guest_within: Duration::from_secs(10),
    guest_at_least: Duration::from_millis(250),
};
/// How long to wait when the machine has no file descriptor left for a connection.
const REST: Duration = Duration::from_millis(100);

/// Serves until `shutdown` completes, then lets open requests finish for a short while.
pub(crate) async fn serve(listener: TcpListener, app: Router, shutdown: impl Future<Output = ()>) {
    serve_some(listener, app, CAPACITY, shutdown).await;
}

async fn serve_some(
    listener: TcpListener,
    app: Router,
    capacity: Capacity,
    shutdown: impl Future<Output = ()>,
) {
    let admission = Admission::new(capacity);
    let (stop, stopping) = watch::channel(());
    let mut open = JoinSet::new();
    let accepting = async {
        loop {
            // Closed connections leave the set.
            while open.try_join_next().is_some() {}
            let Ok((tcp, _)) = listener.accept().await else {
                tokio::time::sleep(REST).await;
                continue;
            };
            let guest = admission.enter().await;
            let (app, stopping) = (app.clone(), stopping.clone());
            open.spawn(async move {
                tokio::select! {
                    () = guest.has_to_go() => {}
                    () = converse(tcp, guest.clone(), app, stopping) => {}
                }
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = shutdown => {}
    }
    drop(listener);
    stop.send_replace(());
    let drained = async { while open.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN, drained).await;
}

/// One connection, to its end or that of the request under way when the server stops.
async fn converse(tcp: TcpStream, guest: Guest, app: Router, mut stopping: watch::Receiver<()>) {
    let _ = tcp.set_nodelay(true);
    let app = TowerToHyperService::new(app);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(guest.clone());
        let answer = guest.clone().answering(app.call(request));
        async { deliver(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(tcp), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopping.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::http::guard::{Guard, check};

    #[tokio::test]
    async fn silent_connections_and_refused_requests_keep_nobody_out() {
        let capacity = Capacity {
            known_max: 2,
            guests_max: 4,
            guest_within: Duration::from_hours(1),
            guest_at_least: Duration::ZERO,
        };
        let guard = std::sync::Arc::new(Guard { any_host: false });
        let app = Router::new()
            .route("/", get(|| async { StatusCode::OK }))
            .layer(from_fn_with_state(guard, check));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(serve_some(listener, app, capacity, std::future::pending()));
        let mut hanging = Vec::new();
        for _ in 0..50 {
            for begun in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n"] {
                let mut tcp = TcpStream::connect(addr).await.unwrap();
                tcp.write_all(begun.as_bytes()).await.unwrap();
                hanging.push(tcp);
            }
        }
        let mut next = TcpStream::connect(addr).await.unwrap();
        let call = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        next.write_all(call).await.unwrap();
        let mut answer = String::new();
        next.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}
