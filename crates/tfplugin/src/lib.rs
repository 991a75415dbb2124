#![doc = include_str!("../README.md")]
//!
//! # From the wire inwards
//! `server` shakes hands, does TLS and gives requests to `rpc`, which has one function for each call and turns messages
//! into values (`cty`). What a call means is decided in `semantics`, pure functions over values and schemas.
//! `provider/erased.rs` is the one file where values become a provider's structs; all else is compiled once, whatever the
//! number of resources.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! log path proto timeouts value   leaves: log lines, paths of values, the protocol's messages, limits, three states
//! cty diag                        values and types as Terraform has them, and their wire forms; messages to the user
//! schema                          what attributes there are
//! attr                            their Rust types and typed paths; the builder that `derive(Attrs)` calls
//! semantics                       what a plan, a check or a result means: pure functions
//! provider                        the traits that an author implements, and what they are given
//! rpc                             the calls of the protocol, one file for each kind
//! server testing                  the process that Terraform starts; the same calls without one
//! ```
//!
//! # Environment variables
//! `TF_PLUGIN_MAGIC_COOKIE`, `PLUGIN_CLIENT_CERT`, `PLUGIN_PROTOCOL_VERSIONS`, `PLUGIN_UNIX_SOCKET_DIR`, else `TMPDIR` and
//! `XDG_RUNTIME_DIR`; `TF_APPEND_USER_AGENT`; `TF_LOG`, `TF_LOG_PROVIDER`, `TF_LOG_SDK`, `TF_LOG_SDK_PROTO`; with
//! `-debug` `TF_PROVIDER_ADDRESS`. `PLUGIN_MIN_PORT` and
//! `PLUGIN_MAX_PORT` are not read: they bound TCP ports, which go-plugin's own server uses on Windows only.
//!
//! # Features of the protocol that are not here yet
//! Deferred changes and state stores: their
//! calls answer "unimplemented" through the generated trait's defaults, and no schema names them. ARCHITECTURE.md of the
//! repository says which trait and which file each will be.

mod attr;
pub mod cty;
mod diag;
pub mod log;
mod path;
pub mod proto;
mod provider;
mod rpc;
pub mod schema;
mod semantics;
mod server;
pub mod testing;
mod timeouts;
mod value;

#[doc = include_str!("../COOKBOOK.md")]
pub mod cookbook {}

#[doc(hidden)]
pub use attr::derived;
pub use attr::{
    Attr, AttrReader, AttrType, AttrWriter, AttributeBuilder, Attrs, Elements, Entries, Leaf, Newtype,
    Nullable, ObjectBuilder, ValueOf, Variadic,
};
pub use cty::{Dynamic, Number};
pub use diag::{Diagnostic, Diagnostics, Result, Severity, sentence};
pub use path::Path;
pub use provider::action::Action;
pub use provider::attempts::{Attempts, WaitEnd};
pub use provider::config::Config;
pub use provider::data_source::DataSource;
pub use provider::ephemeral::{Ephemeral, Opened, Renewed};
pub use provider::function::{Function, FunctionError};
pub use provider::generated::GeneratedConfig;
pub use provider::import::ImportedAttrs;
pub use provider::list::{Found, List};
pub use provider::moves::{Convert, MoveFrom, MoveRefused, MovedObject, Moves};
pub use provider::operation::{ClientOf, OfAction, OfDataSource, OfEphemeral, OfList, OfResource, Operation};
pub use provider::plan::{Plan, PlanAction};
pub use provider::registry::{ConfigureRequest, Provider, Registry};
pub use provider::resource::{Identity, Resource};
pub use provider::rules;
pub use provider::under_way::under_way;
pub use schema::Parameter;
#[doc = include_str!("attrs.md")]
pub use tfplugin_derive::Attrs;
pub use timeouts::{Timeouts, mins, secs};
pub use tokio_util::sync::CancellationToken;
pub use value::Value;

/// Runs a provider's program: serves Terraform, or says what the program is. From here on panics are logged as all else
/// is, without hidden values.
pub fn main<P: Provider>(version: &'static str) -> std::process::ExitCode {
    server::run(provider::erased::provider::<P>(), version)
}
