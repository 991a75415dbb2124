//! The one HTTP client of all cases.

use std::sync::OnceLock;
use std::time::Duration;

/// How long a server may take to answer; none comes near it.
const ANSWER_MAX: Duration = Duration::from_mins(1);

/// One HTTP client for all cases: each client of its own would read all root certificates. It keeps no connection open,
/// since the server of one case is gone in the next.
pub(crate) fn client() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    #[expect(clippy::expect_used, reason = "without a client there is no test to fail")]
    CLIENT.get_or_init(|| {
        reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .timeout(ANSWER_MAX)
            .build()
            .expect("a client is built")
    })
}
