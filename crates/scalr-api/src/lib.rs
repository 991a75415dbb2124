//! The wire types of Scalr's JSON:API, and an HTTP client behind the feature `client`.
//!
#![doc = include_str!("../README.md")]
//! # Floors
//! A module uses only what is below it; `cargo xtask tidy` checks that.
//! ```text
//! error id page                                                        leaves: what all kinds share
//! document                                                             objects, references, bodies
//! account audit_log_setting connection environment run workspace       one file a kind of object
//! client/                                                              the HTTP client, behind the feature `client`
//! ```

#![forbid(unsafe_code)]

mod document;
mod error;
mod id;
mod page;

mod account;
mod audit_log_setting;
mod connection;
mod environment;
mod run;
mod workspace;

#[cfg(feature = "client")]
mod client;

pub use account::{Account, AccountAttributes};
pub use audit_log_setting::{
    AuditLogSetting, AuditLogSettingAttributes, AuditLogSettingInput, AuditLogSettingInputRelationships,
    AuditLogSettingRelationships,
};
pub use connection::{Connection, ConnectionAttributes, ConnectionInput, ConnectionRelationships, Status};
pub use document::{Document, Input, Kind, List, Nothing, Object, Ref, ToOne, TypeTag};
pub use environment::{Environment, EnvironmentAttributes, EnvironmentRelationships};
pub use error::{ErrorDocument, ErrorObject, ErrorSource};
pub use id::{Id, InvalidId};
pub use page::{Meta, PAGE_SIZE_MAX, Pagination};
pub use run::{Run, RunAttributes, RunInput, RunInputRelationships, RunRelationships, RunStatus};
pub use workspace::{Workspace, WorkspaceAttributes, WorkspaceRelationships};

#[cfg(feature = "client")]
pub use client::{Client, ClientError, Host, HostError, Refusal, Retry, Settings, Token, TokenError};

/// Media type of every request and answer.
pub const MEDIA_TYPE: &str = "application/vnd.api+json";

/// Path under the host's root where the API lives, with both slashes.
pub const BASE_PATH: &str = "/api/iacp/v3/";

/// Path, under the host's root, of the service discovery document; it is answered without a token.
pub const DISCOVERY_PATH: &str = "/.well-known/terraform.json";

/// Key of the API's path in the service discovery document.
pub const DISCOVERY_KEY: &str = "iacp.v3";

/// Identifier of an account.
pub type AccountId = Id<Account>;
/// Identifier of an EventBridge connection.
pub type ConnectionId = Id<Connection>;
/// Identifier of an environment.
pub type EnvironmentId = Id<Environment>;
/// Identifier of a run.
pub type RunId = Id<Run>;
/// Identifier of a workspace.
pub type WorkspaceId = Id<Workspace>;
