//! The messages of the protocol, for tools that speak to a provider themselves. Generated from `proto/`: don't edit
//! them: run `cargo run -p tfplugin --example generate-proto`.

#![allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    unreachable_pub,
    dead_code,
    deprecated,
    unused_qualifications,
    reason = "generated code"
)]

#[rustfmt::skip]
#[path = "grpc.health.v1.rs"]
pub mod health;
#[rustfmt::skip]
pub mod plugin;
#[rustfmt::skip]
pub mod tfplugin6;
