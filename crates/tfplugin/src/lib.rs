//! Serves Terraform and OpenTofu providers over plugin protocol 6.

mod attr_type;
mod config;
pub mod cty;
mod cx;
mod data_source;
mod diag;
mod erased;
mod function;
pub mod log;
mod path;
mod plan;
pub mod proto;
mod provider;
mod resource;
mod rpc;
pub mod schema;
mod semantics;
mod server;
pub mod testing;
mod value;

pub use attr_type::{AttrReader, AttrType, AttrWriter, Attrs, IntoVal, Nullable, Parameter, Variadic};
pub use config::Config;
pub use cty::{Dynamic, Number};
pub use cx::{ClientOf, Cx, OfDataSource, OfResource, Waited};
pub use data_source::DataSource;
pub use diag::{Diagnostic, Diagnostics, Result, Severity};
pub use function::{Function, FunctionError};
pub use path::{Path, Step};
pub use plan::{Action, Plan};
pub use provider::{ConfigureCx, Provider, Registry};
pub use resource::{Identity, Resource, Timeouts, mins, secs};
pub use tfplugin_derive::Attrs;
pub use tokio_util::sync::CancellationToken;
pub use value::Value;

/// Runs a provider's program: serves Terraform, or says what the program is.
pub fn main<P: Provider>(version: &'static str) -> std::process::ExitCode {
    server::run(erased::provider::<P>(), version)
}
