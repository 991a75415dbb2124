//! What every part of the server works with.

use std::sync::Arc;

use scalr_api::AccountId;
use tokio::sync::Notify;

use crate::delivery::Wake;
use crate::sources::Sources;
use crate::store::{Bounds, Store};

/// Shared by all handlers and tasks; clones are cheap.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) sources: Sources,
    pub(crate) bounds: Bounds,
    /// Wakes the delivery.
    pub(crate) deliver: Wake,
    /// Wakes the runs.
    pub(crate) step: Arc<Notify>,
    pub(crate) owner: Arc<Owner>,
}

/// The one who holds the token, and what it opens.
pub(crate) struct Owner {
    pub(crate) token: String,
    pub(crate) account_id: AccountId,
    pub(crate) account_name: String,
}

/// The person behind every call: there is one.
pub(crate) const USER_ID: &str = "user-v0owner";
/// Their address.
pub(crate) const USER_EMAIL: &str = "owner@example.com";
/// The id of the token.
pub(crate) const TOKEN_ID: &str = "at-v0owner";

impl Owner {
    /// Whether somebody showed the token. Takes equally long wherever the first difference is.
    pub(crate) fn has_shown(&self, token: &str) -> bool {
        let (have, want) = (token.as_bytes(), self.token.as_bytes());
        let differing = have
            .iter()
            .zip(want)
            .fold(0u8, |seen, (a, b)| std::hint::black_box(seen | (a ^ b)));
        differing == 0 && have.len() == want.len()
    }

    /// The token's end, as audit logs show it.
    pub(crate) fn token_end(&self) -> String {
        let start = self.token.len().saturating_sub(6);
        format!("...{}", self.token.get(start..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_opens() {
        let owner = Owner {
            token: "abcdefgh".into(),
            account_id: AccountId::new("acc-1").unwrap(),
            account_name: "a".into(),
        };
        for (shown, opens) in [
            ("abcdefgh", true),
            ("", false),
            ("abcdefg", false),
            ("abcdefghi", false),
            ("Abcdefgh", false),
        ] {
            assert_eq!(owner.has_shown(shown), opens, "{shown:?}");
        }
        assert_eq!(owner.token_end(), "...cdefgh");
    }
}
