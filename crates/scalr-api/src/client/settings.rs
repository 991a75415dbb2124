//! How to reach the API.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::host::Host;
use super::retry::Retry;
use super::roots::ExtraRoots;
use super::token::Token;

/// How to reach the API.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The host.
    pub host: Host,
    /// The token of every call.
    pub token: Token,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// How long to wait for one answer, from connecting to the body's last byte.
    pub timeout: Duration,
    /// Certificates that are trusted beside the system's, or those that `SSL_CERT_FILE` names.
    pub extra_roots: Option<ExtraRoots>,
    /// Retries: of which calls, how often and when.
    pub retry: Retry,
    /// Becomes true before the first call that may change something is sent.
    pub written: Arc<AtomicBool>,
}

impl Settings {
    /// Settings with the usual bounds.
    pub fn new(host: Host, token: Token, user_agent: impl Into<String>) -> Self {
        Self {
            host,
            token,
            user_agent: user_agent.into(),
            timeout: Duration::from_secs(30),
            extra_roots: None,
            retry: Retry::default(),
            written: Arc::default(),
        }
    }
}
