//! Who calls: the owner of the token, where a request came from, and the proof that the token was shown.

use std::net::SocketAddr;

use scalr_api::AccountId;

use crate::token::Token;

/// The id of the one user there is.
pub(crate) const USER_ID: &str = "user-v0owner";
/// Their address.
pub(crate) const USER_EMAIL: &str = "owner@example.com";
/// The id of the token.
pub(crate) const TOKEN_ID: &str = "at-v0owner";
/// Longest `User-Agent` that is copied into an audit log.
const USER_AGENT_CHARS_MAX: usize = 256;

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The holder of the token, and the account that it opens.
pub(crate) struct Owner {
    pub(crate) token: Token,
    pub(crate) account_id: AccountId,
    pub(crate) account_name: String,
}

/// The proof that a request showed the token, and whose account it opens: only [`Owner::admit`] makes one. Handlers that
/// need an account take it as an argument.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) account_id: AccountId,
    pub(crate) account_name: String,
    pub(crate) ip_address: String,
    pub(crate) user_agent: String,
    pub(crate) token_end: String,
    /// Whether the token was shown by a session of the console.
    pub(crate) by_session: bool,
    _proof: (),
}

impl Owner {
    /// The caller that shows this token, if it is the right one.
    pub(crate) fn admit(&self, token: &str, peer: Option<Peer>, user_agent: &str) -> Option<Caller> {
        self.token.is(token).then(|| Caller {
            account_id: self.account_id.clone(),
            account_name: self.account_name.clone(),
            ip_address: peer.map(|Peer(addr)| addr.ip().to_string()).unwrap_or_default(),
            user_agent: user_agent.chars().take(USER_AGENT_CHARS_MAX).collect(),
            token_end: self.token.end(),
            by_session: false,
            _proof: (),
        })
    }
}

impl Caller {
    /// Where the call comes from, in Scalr's words.
    pub(crate) fn source(&self) -> &'static str {
        if self.by_session { "ui" } else { "api" }
    }
}
