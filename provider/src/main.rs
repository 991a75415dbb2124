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
mod logs;
mod provider;
mod resources;
#[cfg(test)]
mod tests;

use client::Client;

fn main() -> std::process::ExitCode {
    logs::begin();
    tfplugin::main::<provider::ScalrEventBridge>(env!("CARGO_PKG_VERSION"))
}
