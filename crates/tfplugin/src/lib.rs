//! Serves Terraform and OpenTofu providers over plugin protocol 6.
//!
//! A provider is a struct that derives [`Attrs`] and implements [`Provider`]; so are its resources ([`Resource`]), data
//! sources ([`DataSource`]) and functions ([`Function`]). The README beside this crate holds a whole provider.
//!
//! # From the wire inwards
//! `server` shakes hands, does TLS and hands requests to `rpc`, which has one function a call and turns messages into
//! values (`cty`). What a call means is decided in `semantics`, pure functions over values and schemas. `erased` is the one
//! place where values become a provider's structs; all else is compiled once, whatever the number of resources.
//!
//! # What of the environment is read
//! `TF_PLUGIN_MAGIC_COOKIE`, `PLUGIN_CLIENT_CERT`, `PLUGIN_PROTOCOL_VERSIONS`, `PLUGIN_UNIX_SOCKET_DIR`; `TF_LOG`,
//! `TF_LOG_PROVIDER`, `TF_LOG_SDK`, `TF_LOG_SDK_PROTO`; with `-debug` `TF_PROVIDER_ADDRESS`. `PLUGIN_MIN_PORT` and
//! `PLUGIN_MAX_PORT` are not: they bound TCP ports, which go-plugin's own server uses on Windows only.
//!
//! # Where the optional powers of the protocol hang
//! Their calls answer "unimplemented" through the generated trait's defaults, and no schema names them. Each hangs as one
//! more trait beside [`Resource`], one more list in [`Registry`] and in `rpc`'s catalog, one more file in `rpc`:
//!
//! | power | trait | where |
//! |---|---|---|
//! | state moved from another type | a trait on top of [`Resource`]: source address, type and raw state to this struct | `rpc/upgrade.rs` reads raw state already; a capability in `rpc/provider.rs` |
//! | ephemeral resources | open, renew, close; the [`Attrs`] struct is the result | beside `rpc/data_source.rs`; private bytes as in `rpc/wire.rs` |
//! | actions | plan and invoke, progress through [`Operation::progress`] | a stream of events, as the server's silent streams are |
//! | lists | a stream of identities, on top of [`Resource`] | identity messages come from `rpc/read.rs` |
//! | generated configuration | none: state and schema say it all | a pure function in `semantics`; a capability |
//! | deferred changes | a method of [`Plan`] | `PlanState` gets a field, `rpc/plan.rs` writes it |
//! | state stores | one trait for bytes by name | a file in `rpc`; chunks are streams |

mod attempts;
mod attr;
mod attr_type;
mod config;
pub mod cty;
mod data_source;
mod diag;
mod erased;
mod function;
mod import;
pub mod log;
mod newtype;
mod operation;
mod path;
mod plan;
pub mod proto;
mod provider;
mod resource;
mod rpc;
pub mod rules;
pub mod schema;
mod semantics;
mod server;
pub mod testing;
mod value;

pub use attempts::{Attempts, WaitEnd};
pub use attr::{Attr, Elements, Entries, Leaf, ValueOf};
#[doc(hidden)]
pub use attr_type::derived;
pub use attr_type::{AttrReader, AttrType, AttrWriter, Attrs, IntoVal, Nullable, Parameter, Variadic};
pub use config::Config;
pub use cty::{Dynamic, Number};
pub use data_source::DataSource;
pub use diag::{Diagnostic, Diagnostics, Result, Severity, sentence};
pub use function::{Function, FunctionError};
pub use import::ImportedAttrs;
pub use newtype::Newtype;
pub use operation::{ClientOf, Cx, OfDataSource, OfResource, Operation, Waited};
pub use path::{Path, Step};
pub use plan::{Action, Plan};
pub use provider::{ConfigureCx, ConfigureRequest, Provider, Registry};
pub use resource::{Identity, Resource, Timeouts, mins, secs};
pub use tfplugin_derive::Attrs;
pub use tokio_util::sync::CancellationToken;
pub use value::Value;

/// Runs a provider's program: serves Terraform, or says what the program is. From here on panics are logged as all else
/// is, without hidden values.
pub fn main<P: Provider>(version: &'static str) -> std::process::ExitCode {
    server::run(erased::provider::<P>(), version)
}
