//! Serves a provider as go-plugin's clients expect: handshake, mutual TLS, gRPC on a private socket, shutdown.

mod debug;
mod handshake;
mod http;
mod panics;
mod services;
mod socket;
mod tls;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use self::services::Services;
use crate::log;
use crate::provider::erased::AnyProvider;
use crate::rpc::Service;

/// Why a program that should serve does not.
#[derive(Debug)]
pub(crate) enum ServeError {
    /// It was started by hand.
    NotAPlugin,
    /// The client's certificate is missing or unreadable.
    ClientCertificate(&'static str),
    /// Our own certificate could not be made.
    Tls(String),
    /// The socket could not be made.
    Socket(std::io::Error),
}

impl std::fmt::Display for ServeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotAPlugin => f.write_str("not started by Terraform or OpenTofu"),
            Self::ClientCertificate(reason) => {
                write!(
                    f,
                    "PLUGIN_CLIENT_CERT {reason}: only a client that is known by its certificate is served"
                )
            }
            Self::Tls(reason) => write!(f, "cannot set up TLS: {reason}"),
            Self::Socket(error) => write!(f, "cannot listen on a socket: {error}"),
        }
    }
}

impl std::error::Error for ServeError {}

/// Runs the program: serves a provider, with `-debug` for clients that attach themselves.
pub(crate) fn run(provider: Box<dyn AnyProvider>, version: &'static str) -> ExitCode {
    panics::log();
    let name = provider.name();
    let debug = std::env::args()
        .skip(1)
        .any(|arg| arg == "-debug" || arg == "--debug");
    let served = if debug {
        block_on(debug::serve(provider, version))
    } else {
        handshake::Environment::read()
            .and_then(|environment| block_on(handshake::serve(provider, version, environment)))
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(ServeError::NotAPlugin) => {
            complain(&format!(
                "terraform-provider-{name} {version} is a plugin of Terraform and OpenTofu.\n\
                 It is started by them: put it into a configuration's `required_providers`.\n\
                 To run it under a debugger, start it with -debug.\n"
            ));
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(&format!("terraform-provider-{name} {version}: {error}.\n"));
            ExitCode::FAILURE
        }
    }
}

fn complain(text: &str) {
    use std::io::Write as _;
    // If standard error is closed there is nowhere to report it.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Serves on two threads: one provider call that computes for long must not delay StopProvider.
fn block_on(serve: impl Future<Output = Result<(), ServeError>>) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(ServeError::Socket)?;
    let served = runtime.block_on(serve);
    // Nor may one that blocks delay the exit.
    runtime.shutdown_background();
    served
}

/// How often to check that the parent process still runs.
const PARENT_EVERY: Duration = Duration::from_secs(1);

/// How long connections may take to end before the program does.
const DRAIN_MAX: Duration = Duration::from_millis(200);

/// Accepts connections until the client asks for shutdown, or the parent is gone and no client is left.
async fn accept(
    socket: &socket::Socket,
    tls: Option<Arc<rustls::ServerConfig>>,
    provider: Box<dyn AnyProvider>,
    version: &'static str,
    parent: Option<u32>,
) -> Result<(), ServeError> {
    let services = Services::new(Service::new(provider, version));
    let shutdown = services.shutdown();
    let limit = Arc::new(Semaphore::new(http::CONNECTIONS_MAX as usize));
    let mut look = tokio::time::interval(PARENT_EVERY);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            // A client that dies before it connects closes nothing that we could see.
            _ = look.tick(), if parent.is_some() => {
                let idle = limit.available_permits() == http::CONNECTIONS_MAX as usize;
                if idle && parent != Some(socket::parent()) {
                    log::protocol(log::Level::Warn, "Parent process exited without Shutdown; stopping.", &[]);
                    break;
                }
            }
            stream = socket.accept() => {
                // A connection beyond the limit is closed at once.
                let Ok(permit) = Arc::clone(&limit).try_acquire_owned() else { continue };
                let (tls, services) = (tls.clone(), services.clone());
                tokio::spawn(async move {
                    http::connection(stream, tls, services).await;
                    drop(permit);
                });
            }
        }
    }
    drain(&limit).await;
    Ok(())
}

/// Waits until all connections have ended. A call that is still under way then is cut off.
async fn drain(limit: &Semaphore) {
    let all = limit.acquire_many(http::CONNECTIONS_MAX);
    // Too late is no error: the program ends either way.
    let _ = tokio::time::timeout(DRAIN_MAX, all).await;
}
