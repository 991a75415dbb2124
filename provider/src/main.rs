//! `terraform-provider-scalr`: Scalr's events on AWS EventBridge, as Terraform resources.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! failure json logs variables       the message of a failed call; JSON equality; the log; the environment variables
//! trust                             whose certificates are trusted beside the system's
//! setting shared_read/              a setting that may not be known yet; one answer for several reads
//! check                             checks of attributes
//! values                            types of attributes: a region, a JSON text
//! ownership/ walk                   whose a remote object is, and what is known since the configuration; what the plans of
//!                                   one walk learn of each other
//! aws/ scalr/                       the two sides: their calls and their errors
//! client                            what an operation works with: Scalr, AWS, the account
//! defaults                          region and tags where a configuration names none
//! functions/ data_sources/          pure functions; look-ups
//! ephemeral_resources/              what a plan or an apply has for as long as it takes
//! resources/                        a folder each: schema and behaviour, calls, messages
//! lists/                            which objects there are, for `terraform query`
//! actions/                          what is done on request, with what resources do
//! provider                          the provider's configuration, and the list of all that it offers
//! ```

#![expect(
    unreachable_pub,
    reason = "a program has no outside: `pub` here means `of use to other modules`"
)]

mod actions;
mod aws;
mod check;
mod client;
mod data_sources;
mod defaults;
mod ephemeral_resources;
mod failure;
mod functions;
mod json;
mod lists;
mod logs;
mod ownership;
mod provider;
mod resources;
mod scalr;
mod setting;
mod shared_read;
#[cfg(test)]
mod tests;
mod trust;
mod values;
mod variables;
mod walk;

use client::Client;

fn main() -> std::process::ExitCode {
    logs::begin();
    tfplugin::main::<provider::ScalrEventBridge>(env!("CARGO_PKG_VERSION"))
}
