//! The HTTP server: plain or TLS, bounded in connections and in the time of each, with a graceful shutdown.
//!
//! Each connection has a task of its own, so that a client that hangs delays no other. Until the token was shown on it, it
//! is one of a few and for a short time; after that it has a maximum lifetime.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_local::injection::deliver;
use aws_local::{Admission, Capacity, Guest};
use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::caller::Peer;

/// Limits of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Open connections: on which the token was shown, and others.
    pub(crate) capacity: Capacity,
    /// From a connection's start, or its last answer, to the end of the next request's headers. Longer than clients
    /// keep idle connections (90 seconds, mostly), so that none is closed just as a request is sent on it.
    pub(crate) headers: Duration,
    /// After this time a connection takes no further request.
    pub(crate) lifetime: Duration,
    /// How long the request in flight then may take.
    pub(crate) last_request: Duration,
    /// How long open requests, and deliveries under way, may take to finish after a stop.
    pub(crate) drain: Duration,
}

impl Limits {
    /// Those of a service, which finishes requests that wait for AWS, and whose clients are elsewhere.
    pub(crate) fn of_service() -> Self {
        Self {
            drain: Duration::from_secs(20),
            ..Self::default()
        }
    }

    /// Those of an address without tokens, which few programs call.
    pub(crate) fn of_figures() -> Self {
        let mut limits = Self::default();
        limits.capacity.guests_max = 16;
        limits
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            capacity: Capacity {
                known_max: 512,
                guests_max: 128,
                guest_within: Duration::from_secs(10),
                guest_at_least: Duration::from_millis(250),
            },
            headers: Duration::from_secs(100),
            lifetime: Duration::from_mins(30),
            last_request: Duration::from_mins(2),
            drain: Duration::from_secs(2),
        }
    }
}

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}
type Stream = Box<dyn Duplex>;

/// What every connection is served with.
#[derive(Clone)]
struct Server {
    tls: Option<TlsAcceptor>,
    app: Router,
    limits: Limits,
    stop: CancellationToken,
}

/// Serves until stopped, then gives open requests a short time to finish.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let admission = Admission::new(limits.capacity);
    let server = Server {
        tls,
        app,
        limits,
        stop: stop.clone(),
    };
    let mut open = JoinSet::new();
    loop {
        // Closed connections leave the set.
        while open.try_join_next().is_some() {}
        tokio::select! {
            () = stop.cancelled() => break,
            (tcp, peer, guest) = accept(&listener, &admission) => {
                let server = server.clone();
                open.spawn(async move {
                    tokio::select! {
                        () = guest.has_to_go() => {}
                        () = server.serve_connection(tcp, peer, guest.clone()) => {}
                    }
                });
            }
        }
    }
    drop(listener);
    let drained = async { while open.join_next().await.is_some() {} };
    // What is still open then is cut off.
    let _ = tokio::time::timeout(limits.drain, drained).await;
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, admission: &Arc<Admission>) -> (TcpStream, SocketAddr, Guest) {
    loop {
        match listener.accept().await {
            Ok((tcp, peer)) => return (tcp, peer, admission.enter().await),
            Err(error) => {
                // Usually too many open files, which passes as other connections close.
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

impl Server {
    /// Serves one connection to its end.
    async fn serve_connection(self, tcp: TcpStream, peer: SocketAddr, guest: Guest) {
        let Some(stream) = self.handshake(tcp).await else {
            return;
        };
        let app = TowerToHyperService::new(self.app);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(Peer(peer)));
            request.extensions_mut().insert(guest.clone());
            let answer = guest.clone().answering(app.call(request));
            async { deliver(answer.await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.headers)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let done = tokio::select! {
            done = &mut connection => Some(done),
            () = self.stop.cancelled() => None,
            () = tokio::time::sleep(self.limits.lifetime) => None,
        };
        let done = if done.is_none() {
            connection.as_mut().graceful_shutdown();
            let last = tokio::time::timeout(self.limits.last_request, connection);
            last.await.ok()
        } else {
            done
        };
        if let Some(Err(error)) = done {
            tracing::debug!(%error, "a connection failed");
        }
    }

    async fn handshake(&self, tcp: TcpStream) -> Option<Stream> {
        // Nagle's algorithm would delay small answers until the client's acknowledgement.
        let _ = tcp.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return Some(Box::new(tcp));
        };
        let shaken: io::Result<_> = tokio::select! {
            () = self.stop.cancelled() => return None,
            shaken = tls.accept(tcp) => shaken,
        };
        match shaken {
            Ok(stream) => Some(Box::new(stream)),
            Err(error) => {
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Extension;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::testing::{Bench, TOKEN};

    /// Starts a server with these limits; returns its address and the token that stops it.
    async fn start(limits: Limits) -> (SocketAddr, CancellationToken) {
        let here = |Extension(guest): Extension<Guest>| async move {
            guest.is_right();
            "here"
        };
        start_with(limits, Router::new().route("/", get(here))).await
    }

    async fn start_with(limits: Limits, app: Router) -> (SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (addr, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(serve(listener, None, app, limits, stop.clone()));
        (addr, stop)
    }

    /// Sends these bytes, and returns what the server sends until it closes the connection.
    async fn answer(tcp: &mut TcpStream, bytes: &str) -> String {
        tcp.write_all(bytes.as_bytes()).await.unwrap();
        let mut answer = vec![];
        tcp.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    const CALL: &str = "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";

    #[tokio::test]
    async fn clients_without_the_token_keep_nobody_out() {
        let bench = Bench::new().await;
        let mut limits = Limits::default();
        limits.capacity.guests_max = 4;
        limits.capacity.guest_within = Duration::from_hours(1);
        limits.capacity.guest_at_least = Duration::ZERO;
        let (addr, _stop) = start_with(limits, crate::api::router(bench.app.clone())).await;
        let request = |token: &str, connection: &str| {
            let path = "/api/iacp/v3/environments";
            let token = format!("authorization: Bearer {token}\r\n");
            format!("GET {path} HTTP/1.1\r\nhost: h\r\n{token}connection: {connection}\r\n\r\n")
        };
        let mut right = TcpStream::connect(addr).await.unwrap();
        let mut buffer = [0; 4096];
        right
            .write_all(request(TOKEN, "keep-alive").as_bytes())
            .await
            .unwrap();
        assert!(right.read(&mut buffer).await.unwrap() > 0);
        let mut hanging = vec![];
        for _ in 0..50 {
            for begun in [
                "",
                "GET / HT",
                "GET / HTTP/1.1\r\nhost: h\r\n\r\n",
                &request("wrong", "keep-alive"),
            ] {
                let mut tcp = TcpStream::connect(addr).await.unwrap();
                tcp.write_all(begun.as_bytes()).await.unwrap();
                hanging.push(tcp);
            }
        }
        let mut next = TcpStream::connect(addr).await.unwrap();
        let answered = answer(&mut next, &request(TOKEN, "close")).await;
        assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
        let answered = answer(&mut right, &request(TOKEN, "close")).await;
        assert!(
            answered.contains("HTTP/1.1 200"),
            "the known connection is still there: {answered}"
        );
        // The oldest were closed, which their clients see.
        assert_eq!(hanging[0].read(&mut buffer).await.unwrap_or(0), 0);
    }

    #[tokio::test]
    async fn a_client_without_the_token_has_a_short_time() {
        for begun in ["", "GET / HT", "GET /none HTTP/1.1\r\nhost: h\r\n\r\n"] {
            let mut limits = Limits::default();
            limits.capacity.guest_within = Duration::from_millis(100);
            let (addr, _stop) = start(limits).await;
            let mut hanging = TcpStream::connect(addr).await.unwrap();
            // Until the server closes the connection.
            answer(&mut hanging, begun).await;
        }
    }

    #[tokio::test]
    async fn a_connection_has_a_maximum_lifetime() {
        let limits = Limits {
            lifetime: Duration::from_millis(100),
            ..Limits::default()
        };
        let (addr, _stop) = start(limits).await;
        let begin = std::time::Instant::now();
        let mut tcp = TcpStream::connect(addr).await.unwrap();
        let answer = answer(&mut tcp, "GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
        assert!(answer.ends_with("here"), "{answer}");
        assert!(
            begin.elapsed() < limits.headers,
            "the lifetime ended it, not the wait for headers"
        );
    }

    #[tokio::test]
    async fn a_stop_closes_idle_connections() {
        let (addr, stop) = start(Limits::default()).await;
        let mut tcp = TcpStream::connect(addr).await.unwrap();
        tcp.write_all(CALL.replace("close", "keep-alive").as_bytes())
            .await
            .unwrap();
        let mut answer = [0; 1024];
        assert!(tcp.read(&mut answer).await.unwrap() > 0);
        let begin = std::time::Instant::now();
        stop.cancel();
        let mut rest = vec![];
        tcp.read_to_end(&mut rest).await.unwrap();
        assert!(
            begin.elapsed() < Limits::default().drain,
            "an idle connection is closed at once"
        );
    }
}
