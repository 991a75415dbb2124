//! The generated form of `proto/`. Don't edit it: run `cargo run -p tfplugin --example generate-proto`.

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
