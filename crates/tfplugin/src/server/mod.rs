//! Serves a provider as go-plugin's clients expect: handshake, mutual TLS, gRPC on a private socket, shutdown.
//!
//! A client that gives no certificate (`TF_DISABLE_PLUGIN_TLS`, HashiCorp's `terraform-plugin-testing`) is served without
//! TLS: the socket's mode, 0600 in a folder of mode 0700, keeps everybody else out.

mod debug;
mod door;
mod folder;
mod handshake;
mod http;
mod panics;
mod services;
mod socket;
mod tls;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use self::door::Door;
use self::folder::Unusable;
use self::services::Services;
use crate::log;
use crate::provider::erased::AnyProvider;
use crate::rpc::Service;

/// Why a program that should serve does not.
#[derive(Debug)]
pub(crate) enum ServeError {
    /// It was started by hand.
    NotAPlugin,
    /// The client's certificate cannot be used.
    ClientCertificate(&'static str),
    /// Our own certificate could not be made.
    Tls(String),
    /// No folder can hold a socket.
    Socket(Vec<Unusable>),
    /// The system refused something else.
    System(std::io::Error),
}

impl std::fmt::Display for ServeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotAPlugin => f.write_str("not started by Terraform or OpenTofu"),
            Self::ClientCertificate(reason) => {
                write!(
                    f,
                    "the variable `PLUGIN_CLIENT_CERT` {reason}; where it is set, the holder of that certificate is served and \
                     nobody else"
                )
            }
            Self::Tls(reason) => write!(f, "cannot set up TLS: {reason}"),
            Self::Socket(tried) => {
                let tried: Vec<String> = tried.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "there is no folder for its socket: {}; set `TMPDIR` to a folder with a short path that can be written to",
                    tried.join("; ")
                )
            }
            Self::System(error) => write!(f, "the system refused it: {error}"),
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
            let text = format!("terraform-provider-{name} {version} cannot start: {error}.");
            if !debug {
                announce(&text);
            }
            complain(&format!("{text}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Says why there is no handshake where the client waits for it: it shows that line to the user, and standard error in its
/// log only. Bars would make it look like a handshake.
fn announce(text: &str) {
    use std::io::Write as _;
    let line = text.replace(['|', '\n'], " ");
    // A client that does not read has gone.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
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
        .map_err(ServeError::System)?;
    let served = runtime.block_on(serve);
    // Nor may one that blocks delay the exit.
    runtime.shutdown_background();
    served
}

/// How often to check that the parent process still runs.
const PARENT_EVERY: Duration = Duration::from_secs(1);

/// Accepts connections until the client asks for shutdown, or the parent is gone and no client is left.
async fn accept(
    socket: &socket::Socket,
    tls: Option<Arc<rustls::ServerConfig>>,
    provider: Box<dyn AnyProvider>,
    version: &'static str,
    parent: Option<u32>,
) -> Result<(), ServeError> {
    socket.remove_abandoned().await;
    let services = Services::new(Service::new(provider, version));
    let shutdown = services.shutdown();
    let mut door = Door::new(tls, services);
    let mut look = tokio::time::interval(PARENT_EVERY);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            // A client that dies before it connects closes nothing that we could see.
            _ = look.tick(), if parent.is_some() => {
                if door.is_idle() && parent != Some(socket::parent()) {
                    log::protocol(log::Level::Warn, "Parent process exited without Shutdown; stopping.", &[]);
                    break;
                }
            }
            stream = socket.accept() => door.admit(stream),
        }
    }
    door.close().await;
    Ok(())
}
