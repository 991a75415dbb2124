//! The one async runtime of all cases.

use std::future::Future;
use std::sync::OnceLock;

/// Runs a future to its end on the one runtime that all cases share.
pub fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    #[expect(clippy::expect_used, reason = "without a runtime there is no test to fail")]
    let runtime = RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().expect("a runtime starts"));
    runtime.block_on(future)
}
