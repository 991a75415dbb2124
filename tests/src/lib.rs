//! What the acceptance cases stand on: the three command-line tools, a companion of their own for each case, AWS's
//! side seen through AWS's SDK, and a proxy that can stop a tool in the middle of its work.
//!
//! Nothing here depends on a product crate: the cases see what a user sees, processes and wire forms.
//!
//! # Floors
//! A module uses only what is below it; `cargo xtask tidy` checks that.
//! ```text
//! runtime paths group           leaves: the async runtime, where things are, process groups
//! aws scalr proxy tools         AWS, Scalr, the interrupting proxy, the command-line tools
//! world                         a companion of a case's own
//! stage                         a case: its world, its folder, its tool
//! ```

pub mod aws;
pub mod group;
pub mod paths;
pub mod proxy;
mod runtime;
pub mod scalr;
pub mod stage;
pub mod tools;
pub mod world;

pub use runtime::block_on;
