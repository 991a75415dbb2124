//! The accounts and access tokens of a companion, for its operators: `/_companion/accounts` and `/_companion/tokens`. Scalr's own
//! API has no such paths.

use serde::{Deserialize, Serialize};

use crate::document::Nothing;
use crate::{Account, Id, Kind, ToOne, bounded};

/// Path of the accounts, under the host's root.
pub const ACCOUNTS_PATH: &str = "_companion/accounts";
/// Path of the access tokens, under the host's root.
pub const TOKENS_PATH: &str = "_companion/tokens";

/// An account as operators see it; its JSON:API type is that of [`Account`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagedAccount {}

impl Kind for ManagedAccount {
    const TYPE: &'static str = "accounts";
    type Attributes = ManagedAccountAttributes;
    type Relationships = Nothing;
    type Input = ManagedAccountInput;
    type InputRelationships = Nothing;
}

/// An account as operators see it. Times are in RFC 3339.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct ManagedAccountAttributes {
    /// Name; also a segment of every event source's name.
    #[serde(deserialize_with = "bounded::name")]
    pub name: String,
    /// `active`, or `disabled`: its tokens are refused.
    #[serde(deserialize_with = "bounded::word")]
    pub status: String,
    /// When it was made; an earlier version has not noted that.
    #[serde(default, deserialize_with = "bounded::code")]
    pub created_at: Option<String>,
}

/// What an operator sets of an account.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct ManagedAccountInput {
    /// Name of a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `active` or `disabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// Identifier of an access token.
pub type AccessTokenId = Id<AccessToken>;

/// The kind `access-tokens`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessToken {}

impl Kind for AccessToken {
    const TYPE: &'static str = "access-tokens";
    type Attributes = AccessTokenAttributes;
    type Relationships = AccessTokenRelationships;
    type Input = AccessTokenInput;
    type InputRelationships = AccessTokenRelationships;
}

/// An access token as the server answers it. Times are in RFC 3339.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct AccessTokenAttributes {
    /// What it is for.
    #[serde(deserialize_with = "bounded::name")]
    pub name: String,
    /// `admin`, `intake`, `read`.
    pub scopes: Vec<String>,
    /// Its last characters, as in audit logs.
    #[serde(deserialize_with = "bounded::word")]
    pub ends_in: String,
    /// When it was made.
    #[serde(deserialize_with = "bounded::word")]
    pub created_at: String,
    /// When it was used last, to a minute.
    #[serde(default, deserialize_with = "bounded::code")]
    pub last_used_at: Option<String>,
    /// Since when it is refused.
    #[serde(default, deserialize_with = "bounded::code")]
    pub revoked_at: Option<String>,
    /// When it ends by itself.
    #[serde(default, deserialize_with = "bounded::code")]
    pub expires_at: Option<String>,
    /// The token itself: in the answer that has made it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl std::fmt::Debug for AccessTokenAttributes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessTokenAttributes")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// What an operator asks of a new access token.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct AccessTokenInput {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it permits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Minutes until it ends by itself; without them it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<i64>,
}

/// The account that an access token opens; none for an operator's.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessTokenRelationships {
    /// The account.
    #[serde(default)]
    pub account: ToOne<Account>,
}
