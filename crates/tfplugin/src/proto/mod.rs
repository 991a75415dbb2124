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

#[path = "grpc.health.v1.rs"]
pub mod health;
pub mod plugin;
pub mod tfplugin6;
