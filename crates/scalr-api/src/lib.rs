//! The wire types of Scalr's JSON:API, and an HTTP client behind the feature `client`.
//!
#![doc = include_str!("../README.md")]
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! bounded error id page paths                                          leaves: what all kinds share
//! document                                                             objects, references, bodies
//! account audit_log_setting connection environment own_token run workspace   one file a kind of object
//! administration companion delivery                                    accounts and tokens of the companion; calls of it alone; what it tells of a connection
//! client/                                                              the HTTP client, behind the feature `client`
//! ```

#![forbid(unsafe_code)]

mod bounded;
mod document;
mod error;
mod id;
mod page;
mod paths;

mod account;
mod administration;
mod audit_log_setting;
mod companion;
mod connection;
mod delivery;
mod environment;
mod own_token;
mod run;
mod workspace;

#[cfg(feature = "client")]
mod client;

pub use account::{Account, AccountAttributes, AccountId};
pub use administration::{
    ACCOUNTS_PATH, AccessToken, AccessTokenAttributes, AccessTokenId, AccessTokenInput,
    AccessTokenRelationships, ManagedAccount, ManagedAccountAttributes, ManagedAccountInput, TOKENS_PATH,
};
pub use audit_log_setting::{
    AuditLogSetting, AuditLogSettingAttributes, AuditLogSettingInput, AuditLogSettingInputRelationships,
    AuditLogSettingRelationships,
};
pub use companion::{EVENTS_PATH, Emit, Emitted, FAILING_RUNS_PATH, FailingRun, Held, HeldEvent};
pub use connection::{
    Connection, ConnectionAttributes, ConnectionId, ConnectionInput, ConnectionRelationships, Status,
};
pub use delivery::{
    ClockStanding, Deliveries, DeliveriesChanged, DeliveriesWanted, Delivery, DeliveryState, DroppedCounts,
    DroppedEvent, PastDelivery, deliveries_path, delivery_path,
};
pub use document::{Document, Input, Kind, List, Nothing, Object, Ref, ToOne, TypeTag};
pub use environment::{Environment, EnvironmentAttributes, EnvironmentId, EnvironmentRelationships};
pub use error::{ErrorDocument, ErrorObject, ErrorSource};
pub use id::{Id, InvalidId};
pub use own_token::{OwnToken, OwnTokenAttributes, OwnTokenId, OwnTokenInput};
pub use page::{Meta, PAGE_SIZE_MAX, Pagination};
pub use paths::{BASE_PATH, DISCOVERY_KEY, DISCOVERY_PATH, MEDIA_TYPE};
pub use run::{Run, RunAttributes, RunId, RunInput, RunInputRelationships, RunRelationships, RunStatus};
pub use workspace::{Workspace, WorkspaceAttributes, WorkspaceId, WorkspaceRelationships};

#[cfg(feature = "client")]
pub use client::{
    Answered, Client, ClientError, ExtraRoots, Host, HostError, Paced, Refusal, Retry, RootsError, Settings,
    Token, TokenError, credentials,
};
