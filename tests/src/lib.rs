//! What the acceptance cases use: the three command-line tools, a companion for each case, clients of AWS and Scalr that
//! share nothing with the provider, and a proxy that interrupts a tool at a chosen request.
//!
//! Nothing here depends on a product crate: the cases see what a user sees, processes and wire forms.

pub mod aws;
pub mod companion;
pub mod group;
pub mod paths;
pub mod proxy;
pub mod scalr;
pub mod tools;
pub mod workdir;

use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// The one runtime that all cases share.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    #[expect(clippy::expect_used, reason = "without a runtime there is no test to fail")]
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime starts"))
}

/// Runs a future to its end on the shared runtime.
pub fn block_on<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// Runs a future on the shared runtime beside the caller.
pub fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    runtime().spawn(future)
}

/// How long a server may take to answer; none comes near it.
const ANSWER_MAX: Duration = Duration::from_mins(1);

/// One HTTP client for all cases: each client of its own would read all root certificates. It keeps no connection open,
/// since the server of one case is gone in the next.
fn http() -> &'static reqwest::Client {
    static HTTP: OnceLock<reqwest::Client> = OnceLock::new();
    #[expect(clippy::expect_used, reason = "without a client there is no test to fail")]
    HTTP.get_or_init(|| {
        reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .timeout(ANSWER_MAX)
            .build()
            .expect("a client is built")
    })
}
