//! Connections: how many, how long each may take to ask, and how they end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::injection::deliver;

/// How long open requests may take to finish once the server has to stop.
const DRAIN: Duration = Duration::from_secs(2);
/// How long a request's head may take to come, and a connection to lie idle.
const HEAD_WITHIN: Duration = Duration::from_mins(1);
/// Connections at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 1_024;
/// How long to wait when the machine has no file descriptor left for a connection.
const REST: Duration = Duration::from_millis(100);

/// Serves until `shutdown` completes, then lets open requests finish for a short while.
pub(crate) async fn serve(listener: TcpListener, app: Router, shutdown: impl Future<Output = ()>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (stop, stopping) = watch::channel(());
    let accepting = async {
        while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
            let Ok((tcp, _)) = listener.accept().await else {
                tokio::time::sleep(REST).await;
                continue;
            };
            let (app, stopping) = (app.clone(), stopping.clone());
            tokio::spawn(async move {
                converse(tcp, app, stopping).await;
                drop(slot);
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = shutdown => {}
    }
    drop(listener);
    stop.send_replace(());
    let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(DRAIN, slots.acquire_many(all)).await;
}

/// One connection, to its end or that of the request under way when the server stops.
async fn converse(tcp: TcpStream, app: Router, mut stopping: watch::Receiver<()>) {
    let _ = tcp.set_nodelay(true);
    let app = TowerToHyperService::new(app);
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = app.call(request);
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
