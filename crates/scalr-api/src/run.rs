//! Runs: `/runs`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Id, Kind, ToOne, Workspace, bounded};

/// Identifier of a run.
pub type RunId = Id<Run>;

/// The kind `runs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {}

impl Run {
    /// Path of the collection, under the API's base.
    pub const PATH: &'static str = "runs";
}

impl Kind for Run {
    const TYPE: &'static str = "runs";
    type Attributes = RunAttributes;
    type Relationships = RunRelationships;
    type Input = RunInput;
    type InputRelationships = RunInputRelationships;
}

/// A run as the server answers it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct RunAttributes {
    /// Its status.
    pub status: RunStatus,
    /// Whether it only plans.
    #[serde(default)]
    pub is_dry: bool,
    /// Whether it destroys.
    #[serde(default)]
    pub is_destroy: bool,
    /// The message that it was started with.
    #[serde(default, deserialize_with = "bounded::text")]
    pub message: Option<String>,
    /// What started it: `api`, `vcs`, …
    #[serde(default, deserialize_with = "bounded::code")]
    pub source: Option<String>,
    /// When it was created (RFC 3339).
    #[serde(default, deserialize_with = "bounded::code")]
    pub created_at: Option<String>,
}

/// What a run belongs to.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct RunRelationships {
    /// The workspace it runs in.
    #[serde(default)]
    pub workspace: ToOne<Workspace>,
}

/// What starts a run.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct RunInput {
    /// Whether it destroys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_destroy: Option<bool>,
    /// Whether it only plans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_dry: Option<bool>,
    /// A message for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Where to start a run.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct RunInputRelationships {
    /// The workspace to run in.
    #[serde(default)]
    pub workspace: ToOne<Workspace>,
}

/// The status of a run.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Not started yet.
    Pending,
    /// Planning.
    Planning,
    /// Planned, waiting for approval.
    Planned,
    /// Planned, with nothing to apply.
    PlannedAndFinished,
    /// Applying.
    Applying,
    /// Applied.
    Applied,
    /// It failed.
    Errored,
    /// Canceled by a user.
    Canceled,
    /// Its plan was rejected by a user.
    Discarded,
    /// A status that this version does not know.
    #[serde(untagged)]
    Other(#[serde(deserialize_with = "bounded::word")] String),
}

impl RunStatus {
    /// The status as the wire spells it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Planning => "planning",
            Self::Planned => "planned",
            Self::PlannedAndFinished => "planned_and_finished",
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::Errored => "errored",
            Self::Canceled => "canceled",
            Self::Discarded => "discarded",
            Self::Other(text) => text,
        }
    }

    /// Whether the run has ended.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::PlannedAndFinished | Self::Applied | Self::Errored | Self::Canceled | Self::Discarded
        )
    }

    /// Whether the run succeeded.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::PlannedAndFinished | Self::Applied)
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Id, Input};

    #[test]
    fn a_dry_run_is_requested() {
        let input = Input::<Run>::new(
            RunInput {
                is_dry: Some(true),
                ..RunInput::default()
            },
            RunInputRelationships {
                workspace: ToOne::to(Id::new("ws-1").unwrap()),
            },
        );
        assert_eq!(
            serde_json::to_value(input).unwrap(),
            json!({
                "type": "runs", "attributes": {"is-dry": true},
                "relationships": {"workspace": {"data": {"type": "workspaces", "id": "ws-1"}}},
            })
        );
    }

    #[test]
    fn statuses_have_the_wires_spelling() {
        for text in [
            "pending",
            "planning",
            "planned",
            "planned_and_finished",
            "applying",
            "applied",
            "errored",
            "canceled",
        ] {
            let status: RunStatus = serde_json::from_value(json!(text)).unwrap();
            assert_eq!(status.as_str(), text);
            assert!(!matches!(status, RunStatus::Other(_)), "{text}");
        }
    }
}
