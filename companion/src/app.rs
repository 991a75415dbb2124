//! What every part of the server works with.

use std::sync::Arc;

use scalr_api::AccountId;
use tokio::sync::Notify;

use crate::delivery::Wake;
use crate::sources::Sources;
use crate::store::{Bounds, Store};
use crate::token::Token;

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
    pub(crate) token: Token,
    pub(crate) account_id: AccountId,
    pub(crate) account_name: String,
}

/// The person behind every call: there is one.
pub(crate) const USER_ID: &str = "user-v0owner";
/// Their address.
pub(crate) const USER_EMAIL: &str = "owner@example.com";
/// The id of the token.
pub(crate) const TOKEN_ID: &str = "at-v0owner";
