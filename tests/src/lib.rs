//! What the acceptance cases stand on: the three command-line tools, a companion of their own for each case, AWS's
//! side seen through AWS's SDK, and a proxy that can stop a tool in the middle of its work.
//!
//! Nothing here depends on a product crate: the cases see what a user sees, processes and wire forms.

pub mod aws;
pub mod group;
pub mod paths;
pub mod proxy;
pub mod scalr;
pub mod stage;
pub mod tools;
pub mod world;

use std::future::Future;
use std::sync::OnceLock;

/// Runs a future to its end on the one runtime that all cases share.
pub fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    #[expect(clippy::expect_used, reason = "without a runtime there is no test to fail")]
    let runtime = RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().expect("a runtime starts"));
    runtime.block_on(future)
}
