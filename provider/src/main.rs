//! `terraform-provider-scalr`: Scalr's events on AWS EventBridge, as Terraform resources.

#![expect(
    unreachable_pub,
    reason = "a program has no outside: `pub` here means `of use to other modules`"
)]

mod aws;
mod check;
mod client;
mod credentials;
mod data_sources;
mod error;
mod functions;
mod provider;
mod resources;

use client::Client;

fn main() -> std::process::ExitCode {
    tfplugin::main::<provider::ScalrEventBridge>(env!("CARGO_PKG_VERSION"))
}
