//! The companion as a service and its local AWS, each a process of its own, and what drives them: measured by `bench`, killed by `chaos`.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! events http server   events to send; HTTP/1.1; a process
//! api customer         Scalr's API; the customer's side of AWS
//! ```

pub(crate) mod api;
pub(crate) mod customer;
pub(crate) mod events;
pub(crate) mod http;
pub(crate) mod server;
