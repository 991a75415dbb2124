//! Who is let in. Connections that have not shown the client's certificate have a limit and a time of their own, so that
//! no number of them keeps out a client that has.

use std::collections::VecDeque;
use std::io::{self, Cursor};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::http;
use super::services::Services;
use crate::log::{self, Level};

/// How many connections may be before or in their handshake: beyond that the oldest is dropped.
const STRANGERS_MAX: usize = 128;

/// How long a connection may take for its handshake.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// How many clients are served at a time; Terraform connects once.
const CLIENTS_MAX: u32 = 64;

/// How long clients' connections may take to end before the program does.
const DRAIN_MAX: Duration = Duration::from_millis(200);

pub(super) struct Door {
    tls: Option<Arc<rustls::ServerConfig>>,
    services: Services,
    /// Handshakes under way, oldest first, and some that have ended.
    strangers: VecDeque<AbortHandle>,
    /// One permit for each client that may still come.
    places: Arc<Semaphore>,
}

impl Door {
    pub(super) fn new(tls: Option<Arc<rustls::ServerConfig>>, services: Services) -> Self {
        Self {
            tls,
            services,
            strangers: VecDeque::new(),
            places: Arc::new(Semaphore::new(CLIENTS_MAX as usize)),
        }
    }

    /// Lets a connection begin its handshake.
    pub(super) fn admit(&mut self, stream: UnixStream) {
        self.strangers.retain(|stranger| !stranger.is_finished());
        if self.strangers.len() >= STRANGERS_MAX
            && let Some(oldest) = self.strangers.pop_front()
        {
            oldest.abort();
        }
        let (tls, services, places) = (self.tls.clone(), self.services.clone(), Arc::clone(&self.places));
        let handshake = tokio::spawn(async move {
            match shake_hands(stream, tls).await {
                // A task of its own: from here on the oldest stranger is another.
                Ok(client) => drop(tokio::spawn(serve(client, services, places))),
                Err(error) => refuse(&error),
            }
        });
        self.strangers.push_back(handshake.abort_handle());
    }

    /// Whether no client is served.
    pub(super) fn is_idle(&self) -> bool {
        self.places.available_permits() == CLIENTS_MAX as usize
    }

    /// Waits until the clients' connections have ended. A call that is still under way then is cut off.
    pub(super) async fn close(&self) {
        let all = self.places.acquire_many(CLIENTS_MAX);
        // Too late is no error: the program ends either way.
        let _ = tokio::time::timeout(DRAIN_MAX, all).await;
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A connection whose other end is the client. Without TLS the socket's mode vouches for it, once it says something.
async fn shake_hands(
    stream: UnixStream,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> io::Result<Box<dyn Stream>> {
    let shaken = tokio::time::timeout(HANDSHAKE_MAX, async {
        let Some(tls) = tls else {
            return first_words(stream).await;
        };
        let stream = tokio_rustls::TlsAcceptor::from(tls).accept(stream).await?;
        Ok(Box::new(stream) as Box<dyn Stream>)
    });
    shaken.await.unwrap_or_else(|late| Err(late.into()))
}

/// The connection, once its other end has said something.
async fn first_words(stream: UnixStream) -> io::Result<Box<dyn Stream>> {
    let (mut from, to) = stream.into_split();
    let mut words = vec![0; 1024];
    let count = from.read(&mut words).await?;
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    words.truncate(count);
    Ok(Box::new(tokio::io::join(Cursor::new(words).chain(from), to)))
}

async fn serve(client: Box<dyn Stream>, services: Services, places: Arc<Semaphore>) {
    match places.try_acquire() {
        Ok(_place) => http::serve(client, services).await,
        Err(_) => refuse(&io::Error::other("as many clients as may be are served")),
    }
}

fn refuse(error: &io::Error) {
    // Whoever hangs up at once only looked whether somebody listens.
    let level = match error.kind() {
        io::ErrorKind::UnexpectedEof => Level::Debug,
        _ => Level::Warn,
    };
    log::protocol(level, "Refused a client", &[("error", &error.to_string())]);
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::time::Instant;

    use super::*;

    fn tls() -> Arc<rustls::ServerConfig> {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let client = params.self_signed(&key).unwrap();
        let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, client.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
        let identity = super::super::tls::identity(&pem).map_err(|error| error.to_string());
        identity.unwrap().config
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_with_its_time() {
        for (tls, said) in [
            (None, &b""[..]),
            (Some(tls()), b""),
            (Some(tls()), b"\x16\x03\x01\x00\xff"),
        ] {
            let (stream, mut other) = UnixStream::pair().unwrap();
            other.write_all(said).await.unwrap();
            let begun = Instant::now();
            let refused = shake_hands(stream, tls).await.err().unwrap();
            assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
            assert_eq!(begun.elapsed(), HANDSHAKE_MAX);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_tls_whoever_says_something_is_a_client() {
        let (stream, mut other) = UnixStream::pair().unwrap();
        other.write_all(b"PRI").await.unwrap();
        assert!(shake_hands(stream, None).await.is_ok());
    }
}
