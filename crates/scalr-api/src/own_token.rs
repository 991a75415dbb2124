//! `access-tokens` of Scalr's API: what the holder of a token makes of it, good for some minutes. Scalr documents the attributes but for
//! `scopes`, which the companion has: <https://docs.scalr.io/reference>, "Access Tokens".

use serde::{Deserialize, Serialize};

use crate::document::Nothing;
use crate::{Id, Kind, bounded};

/// Identifier of such a token.
pub type OwnTokenId = Id<OwnToken>;

/// The kind `access-tokens`, as its holder sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnToken {}

impl OwnToken {
    /// Path of the collection, under the API's base.
    pub const PATH: &'static str = "access-tokens";
}

impl Kind for OwnToken {
    const TYPE: &'static str = "access-tokens";
    type Attributes = OwnTokenAttributes;
    type Relationships = Nothing;
    type Input = OwnTokenInput;
    type InputRelationships = Nothing;
}

/// Such a token as the server answers it. Times are in RFC 3339.
#[derive(Serialize, Deserialize, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct OwnTokenAttributes {
    /// Its name.
    #[serde(default, deserialize_with = "bounded::text")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default, deserialize_with = "bounded::text")]
    pub description: Option<String>,
    /// What it permits, from a companion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// When it was made.
    #[serde(default, deserialize_with = "bounded::code")]
    pub created_at: Option<String>,
    /// When it ends by itself.
    #[serde(default, deserialize_with = "bounded::code")]
    pub expires_at: Option<String>,
    /// After how many minutes it does.
    #[serde(default)]
    pub expires_in: Option<i64>,
    /// Whether it has ended.
    #[serde(default)]
    pub is_expired: bool,
    /// The token itself: in the answer that has made it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl std::fmt::Debug for OwnTokenAttributes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnTokenAttributes")
            .field("name", &self.name)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// What is asked of a new one.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct OwnTokenInput {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Minutes until it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<i64>,
    /// What it permits: a companion's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}
