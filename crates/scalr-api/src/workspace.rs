//! Workspaces: `/workspaces`.

use serde::{Deserialize, Serialize};

use crate::document::Nothing;
use crate::{Environment, Id, Kind, ToOne, bounded};

/// Identifier of a workspace.
pub type WorkspaceId = Id<Workspace>;

/// The kind `workspaces`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workspace {}

impl Workspace {
    /// Path of the collection, under the API's base.
    pub const PATH: &'static str = "workspaces";
}

impl Kind for Workspace {
    const TYPE: &'static str = "workspaces";
    type Attributes = WorkspaceAttributes;
    type Relationships = WorkspaceRelationships;
    type Input = Nothing;
    type InputRelationships = Nothing;
}

/// A workspace as the server answers it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceAttributes {
    /// Name, unique in its environment.
    #[serde(deserialize_with = "bounded::name")]
    pub name: String,
}

/// What a workspace belongs to.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkspaceRelationships {
    /// The environment.
    #[serde(default)]
    pub environment: ToOne<Environment>,
}
