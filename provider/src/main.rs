//! `terraform-provider-scalr`: Scalr's events on AWS EventBridge, as Terraform resources.

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
