//! The normal start: Terraform launches the program, reads one line from it, and connects.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::signal::unix::{SignalKind, signal};

use super::socket::{self, Socket};
use super::{ServeError, accept, tls};
use crate::log;
use crate::provider::erased::AnyProvider;

const COOKIE_KEY: &str = "TF_PLUGIN_MAGIC_COOKIE";
const COOKIE_VALUE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
const PROTOCOL: &str = "6";

/// What Terraform says by way of the environment.
pub(super) struct Environment {
    client_certificate: String,
}

impl Environment {
    pub(super) fn read() -> Result<Self, ServeError> {
        let get = |name| std::env::var(name).unwrap_or_default();
        if get(COOKIE_KEY) != COOKIE_VALUE {
            return Err(ServeError::NotAPlugin);
        }
        let versions = get("PLUGIN_PROTOCOL_VERSIONS");
        if !versions.is_empty() && !versions.split(',').any(|version| version.trim() == PROTOCOL) {
            // The client reports the mismatch when it reads our version.
            log::protocol(
                log::Level::Warn,
                "The client does not speak protocol 6",
                &[("versions", &versions)],
            );
        }
        Ok(Self {
            client_certificate: get("PLUGIN_CLIENT_CERT"),
        })
    }
}

/// Does the handshake and serves.
pub(super) async fn serve(
    provider: Box<dyn AnyProvider>,
    version: &'static str,
    environment: Environment,
) -> Result<(), ServeError> {
    // Read the parent's id before the line is written: then a parent that dies later is noticed.
    let parent = socket::parent();
    let identity = tls::identity(&environment.client_certificate)?;
    let socket = Socket::listen().map_err(ServeError::Socket)?;
    // Ctrl-C reaches the whole process group. Terraform handles it, and calls StopProvider.
    let mut interrupts = signal(SignalKind::interrupt()).map_err(ServeError::Socket)?;
    tokio::spawn(async move { while interrupts.recv().await.is_some() {} });
    let certificate = STANDARD_NO_PAD.encode(&identity.certificate);
    let line = format!(
        "1|{PROTOCOL}|unix|{}|grpc|{certificate}\n",
        socket.path().display()
    );
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())
        .and_then(|()| out.flush())
        .map_err(ServeError::Socket)?;
    drop(out);
    accept(&socket, Some(identity.config), provider, version, Some(parent)).await
}
