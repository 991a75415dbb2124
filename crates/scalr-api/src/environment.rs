//! Environments: `/environments`.

use serde::{Deserialize, Serialize};

use crate::document::Nothing;
use crate::{Account, Id, Kind, ToOne, bounded};

/// Identifier of an environment.
pub type EnvironmentId = Id<Environment>;

/// The kind `environments`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {}

impl Environment {
    /// Path of the collection, under the API's base.
    pub const PATH: &'static str = "environments";
}

impl Kind for Environment {
    const TYPE: &'static str = "environments";
    type Attributes = EnvironmentAttributes;
    type Relationships = EnvironmentRelationships;
    type Input = Nothing;
    type InputRelationships = Nothing;
}

/// An environment as the server answers it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentAttributes {
    /// Name, unique in its account.
    #[serde(deserialize_with = "bounded::name")]
    pub name: String,
}

/// What an environment belongs to.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentRelationships {
    /// The Scalr account.
    #[serde(default)]
    pub account: ToOne<Account>,
}
