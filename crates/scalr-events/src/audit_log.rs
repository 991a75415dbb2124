//! `AuditLog`: what Scalr sends for each changing call.

use serde::{Deserialize, Serialize};

/// The `detail` of an `AuditLog` event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditLog {
    /// What was changed.
    pub target: Target,
    /// UTC, microseconds, no zone.
    pub timestamp: String,
    /// The call.
    pub request: Request,
    /// Who made it.
    pub actor: Actor,
    /// Its result.
    pub outcome: CallOutcome,
    /// `scalr-action:…`, `scalr-user-email:…` and the scope's ids and names.
    pub tags: Vec<String>,
}

/// The object a call changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Target {
    /// Its id.
    pub id: String,
    /// Its JSON:API type, such as `workspaces`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub display_name: String,
    /// Where it lives.
    pub context: Context,
}

/// The scopes around a target; those that do not apply are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Named>,
    /// The workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Named>,
    /// The account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Named>,
}

/// An id with its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Named {
    /// The id.
    pub id: String,
    /// The name.
    pub display_name: String,
}

/// The call that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Request {
    /// Stable id of the call, by which a consumer recognises duplicates.
    pub id: String,
    /// Such as `create-workspace`.
    pub action: String,
    /// The caller's address.
    pub ip_address: String,
    /// `ui` or `api`.
    pub source: String,
    /// The caller's `User-Agent`.
    pub user_agent: String,
}

/// Who made a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Actor {
    /// `user-…` or `sa-…`.
    pub id: String,
    /// Their address.
    pub email: String,
    /// `user` or `service-account`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The token they used.
    pub access_token: AccessToken,
}

/// The token of a call; never the whole of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessToken {
    /// Its id; a session has none.
    pub id: Option<String>,
    /// Such as `session` or `user`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `...` and its last few characters.
    pub token: String,
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CallOutcome {
    /// `SUCCESS` or `FAILURE`.
    pub result: String,
    /// The HTTP status.
    pub status_code: u16,
}
