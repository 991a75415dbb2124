//! Accounts: `/accounts/{id}`.

use serde::{Deserialize, Serialize};

use crate::document::Nothing;
use crate::{Id, Kind, bounded};

/// Identifier of an account.
pub type AccountId = Id<Account>;

/// The kind `accounts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {}

impl Account {
    /// Path of the collection, under the API's base.
    pub const PATH: &'static str = "accounts";
}

impl Kind for Account {
    const TYPE: &'static str = "accounts";
    type Attributes = AccountAttributes;
    type Relationships = Nothing;
    type Input = Nothing;
    type InputRelationships = Nothing;
}

/// An account as the server answers it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct AccountAttributes {
    /// Name; also a segment of every event source's name.
    #[serde(deserialize_with = "bounded::name")]
    pub name: String,
}
