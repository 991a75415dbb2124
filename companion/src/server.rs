//! The HTTP server: plain or TLS, with a clean end.
//!
//! Handshakes run beside each other, bounded in number and time, so that a client that hangs in one holds up nobody.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::api::Peer;

const HANDSHAKE: Duration = Duration::from_secs(10);
const HANDSHAKES_MAX: usize = 64;
/// How long open requests may take to finish once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(2);

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}
type Stream = Box<dyn Duplex>;

/// A bound address whose connections are ready to be spoken HTTP on.
struct Listener {
    addr: SocketAddr,
    ready: mpsc::Receiver<(Stream, SocketAddr)>,
}

impl axum::serve::Listener for Listener {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The acceptor has ended, so has the server: it is about to be dropped.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.addr)
    }
}

impl Connected<IncomingStream<'_, Listener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Serves until stopped, then lets open requests finish for a short while.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    let addr = listener.local_addr()?;
    let (sender, ready) = mpsc::channel(HANDSHAKES_MAX);
    let accepting = tokio::spawn(accept(listener, tls, sender));
    let app = app.into_make_service_with_connect_info::<Peer>();
    let serving = axum::serve(Listener { addr, ready }, app)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let cut_off = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    let served = tokio::select! {
        served = serving => served,
        () = cut_off => Ok(()),
    };
    accepting.abort();
    served
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, ready: mpsc::Sender<(Stream, SocketAddr)>) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let (tcp, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Mostly too many open files: others will close theirs.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (tls, ready) = (tls.clone(), ready.clone());
        tokio::spawn(async move {
            if let Some(stream) = shake(tcp, tls).await {
                // The server is gone: so is the connection.
                let _ = ready.send((stream, peer)).await;
            }
            drop(place);
        });
    }
}

async fn shake(tcp: TcpStream, tls: Option<TlsAcceptor>) -> Option<Stream> {
    // Small answers must not wait for the client's acknowledgement.
    let _ = tcp.set_nodelay(true);
    let Some(tls) = tls else {
        return Some(Box::new(tcp));
    };
    match tokio::time::timeout(HANDSHAKE, tls.accept(tcp)).await {
        Ok(Ok(stream)) => Some(Box::new(stream)),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            None
        }
        Err(_) => None,
    }
}
