//! `-debug`: serves for clients that attach themselves, until Ctrl-C. There is no TLS; the socket's mode protects it.

use std::io::Write as _;

use tokio::signal::unix::{SignalKind, signal};

use super::socket::Socket;
use super::{ServeError, accept, folder};
use crate::provider::erased::AnyProvider;

/// Prints what to set, and serves until interrupted.
pub(super) async fn serve(provider: Box<dyn AnyProvider>, version: &'static str) -> Result<(), ServeError> {
    let socket = Socket::listen(&folder::bases(|name| std::env::var_os(name))).map_err(ServeError::Socket)?;
    // Before the line is printed: whoever reads it may interrupt at once.
    let mut interrupted = signal(SignalKind::interrupt()).map_err(ServeError::System)?;
    let name = provider.name();
    let attach = serde_json::json!({
        // Terraform takes the last part of a source address for the whole where the namespace is its own default.
        address(name): {
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": std::process::id(),
            "Test": true,
            "Addr": { "Network": "unix", "String": socket.path() },
        },
    });
    let text = format!(
        "Serving. Attach Terraform with this variable; Ctrl-C ends it.\n\n\tTF_REATTACH_PROVIDERS='{attach}'\n\n"
    );
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(ServeError::System)?;
    drop(out);
    tokio::select! {
        served = accept(&socket, None, provider, version, None) => served,
        _ = interrupted.recv() => Ok(()),
    }
}

/// The address to serve under: `TF_PROVIDER_ADDRESS`, or the name in the default namespace.
fn address(name: &str) -> String {
    let given = std::env::var("TF_PROVIDER_ADDRESS")
        .ok()
        .filter(|address| !address.is_empty());
    given.unwrap_or_else(|| format!("registry.terraform.io/hashicorp/{name}"))
}
