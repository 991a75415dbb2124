//! A provider registry of one's own, on loopback and over TLS, with the files of a release:
//! <https://developer.hashicorp.com/terraform/internals/provider-registry-protocol>.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::serve::Listener;
use axum::{Json, Router};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::dist::Dist;
use crate::roots;
use crate::runtime::{block_on, spawn};

/// A running registry.
pub struct Registry {
    /// Its host in a provider's address.
    pub host: String,
    /// The file of the authority that clients have to trust.
    pub authority: PathBuf,
    _dir: TempDir,
}

struct Shown {
    host: String,
    dist: Dist,
    /// Packages are sent with one byte changed.
    damaged: bool,
}

impl Registry {
    /// Serves a release; `damaged` sends its packages with a byte changed.
    ///
    /// # Errors
    /// When no port is free or no certificate can be made.
    pub fn serve(dist: &Dist, damaged: bool) -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let dir = tempfile::tempdir()?;
        let authority = dir.path().join("authority.pem");
        std::fs::write(&authority, roots::pem(made.cert.der()))?;
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialized_der().to_vec().into());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)?;
        let tcp = block_on(TcpListener::bind("127.0.0.1:0"))?;
        let host = format!("localhost:{}", tcp.local_addr()?.port());
        let shown = Shown {
            host: host.clone(),
            dist: dist.clone(),
            damaged,
        };
        let router = Router::new()
            .route("/.well-known/terraform.json", get(services))
            .route("/v1/scalr-eventbridge/scalr/versions", get(versions))
            .route(
                "/v1/scalr-eventbridge/scalr/{version}/download/{os}/{processor}",
                get(package),
            )
            .route("/files/{name}", get(file))
            .with_state(Arc::new(shown));
        let listener = Tls {
            tcp,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        };
        spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            host,
            authority,
            _dir: dir,
        })
    }

    /// The address of the release's files.
    pub fn files(&self) -> String {
        format!("https://{}/files", self.host)
    }
}

/// Accepts what shakes hands; a client that does not is dropped.
struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.tcp.accept().await else {
                continue;
            };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

async fn services() -> Json<Value> {
    Json(json!({ "providers.v1": "/v1/" }))
}

async fn versions(State(shown): State<Arc<Shown>>) -> Result<Json<Value>, StatusCode> {
    let [version, os, processor] = shown.release().ok_or(StatusCode::NOT_FOUND)?;
    let platforms = json!([{ "os": os, "arch": processor }]);
    Ok(Json(json!({
        "versions": [{ "version": version, "protocols": ["6.0"], "platforms": platforms }]
    })))
}

async fn package(
    State(shown): State<Arc<Shown>>,
    Path((version, os, processor)): Path<(String, String, String)>,
) -> Result<Json<Value>, StatusCode> {
    let name = format!("terraform-provider-scalr_{version}_{os}_{processor}.zip");
    let sums = format!("terraform-provider-scalr_{version}_SHA256SUMS");
    let listed = std::fs::read_to_string(shown.dist.folder.join(&sums)).map_err(|_| StatusCode::NOT_FOUND)?;
    let sum = listed
        .lines()
        .find_map(|line| line.strip_suffix(&name).map(str::trim));
    let sum = sum.ok_or(StatusCode::NOT_FOUND)?;
    let url = |name: &str| format!("https://{}/files/{name}", shown.host);
    Ok(Json(json!({
        "protocols": ["6.0"],
        "os": os,
        "arch": processor,
        "filename": name,
        "download_url": url(&name),
        "shasums_url": url(&sums),
        "shasums_signature_url": url(&format!("{sums}.sig")),
        "shasum": sum,
        "signing_keys": { "gpg_public_keys": [{
            "key_id": shown.dist.key.id,
            "ascii_armor": shown.dist.key.armoured,
        }] },
    })))
}

async fn file(State(shown): State<Arc<Shown>>, Path(name): Path<String>) -> Result<Vec<u8>, StatusCode> {
    let mut bytes = std::fs::read(shown.dist.folder.join(&name)).map_err(|_| StatusCode::NOT_FOUND)?;
    if shown.damaged
        && !name.contains("SHA256SUMS")
        && let Some(last) = bytes.last_mut()
    {
        *last ^= 1;
    }
    Ok(bytes)
}

impl Shown {
    /// Version, operating system and processor of the provider's package.
    fn release(&self) -> Option<[String; 3]> {
        let file = self.dist.file("terraform-provider-scalr_", ".zip").ok()?;
        let name = file.file_stem()?.to_string_lossy().into_owned();
        let mut parts = name.split('_').skip(1).map(str::to_owned);
        Some([parts.next()?, parts.next()?, parts.next()?])
    }
}
