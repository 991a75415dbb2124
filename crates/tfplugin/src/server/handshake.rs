//! The normal start: Terraform launches the program, reads one line from it, and connects.

use std::env::VarError;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::signal::unix::{SignalKind, signal};

use super::socket::{self, Socket};
use super::{ServeError, accept, folder, tls};
use crate::log;
use crate::provider::erased::AnyProvider;

const COOKIE_KEY: &str = "TF_PLUGIN_MAGIC_COOKIE";
const COOKIE_VALUE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
const PROTOCOL: &str = "6";

/// What Terraform says by way of the environment.
pub(super) struct Environment {
    /// The certificate to pin. A client that gives none uses no TLS.
    client_certificate: Option<String>,
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
        let client_certificate = match std::env::var("PLUGIN_CLIENT_CERT") {
            Ok(pem) => Some(pem).filter(|pem| !pem.is_empty()),
            Err(VarError::NotPresent) => None,
            Err(VarError::NotUnicode(_)) => return Err(ServeError::ClientCertificate("is no text")),
        };
        Ok(Self { client_certificate })
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
    let identity = environment.client_certificate.as_deref().map(tls::identity);
    let identity = identity.transpose()?;
    let socket = Socket::listen(&folder::bases(|name| std::env::var_os(name))).map_err(ServeError::Socket)?;
    // Ctrl-C reaches the whole process group. Terraform handles it, and calls StopProvider.
    let mut interrupts = signal(SignalKind::interrupt()).map_err(ServeError::System)?;
    tokio::spawn(async move { while interrupts.recv().await.is_some() {} });
    let certificate = identity
        .as_ref()
        .map(|own| STANDARD_NO_PAD.encode(&own.certificate));
    let line = format!(
        "1|{PROTOCOL}|unix|{}|grpc|{}\n",
        socket.path().display(),
        certificate.unwrap_or_default()
    );
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())
        .and_then(|()| out.flush())
        .map_err(ServeError::System)?;
    drop(out);
    let tls = identity.map(|own| own.config);
    accept(&socket, tls, provider, version, Some(parent)).await
}
