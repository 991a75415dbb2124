//! What the acceptance cases use: the three command-line tools, a companion for each case, clients of AWS and Scalr that
//! share nothing with the provider, and a proxy that interrupts a tool at a chosen request.
//!
//! Nothing here depends on a product crate: the cases see what a user sees, processes and wire forms.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! runtime paths group roots     leaves: the async runtime, where things are, process groups, which authorities are trusted
//! ci guide blocks               CI files as their services run them; the HCL of a guide; the code blocks of README and docs
//! surroundings                  HCL of a page as a whole configuration
//! dist                          a release, packed and signed
//! http                          the one HTTP client
//! aws scalr proxy tools mirror  AWS, Scalr, the interrupting proxy, the command-line tools, where they install from
//! refuser receiver registry     an AWS that accepts no signature, a third party's endpoint, a registry of one's own
//! calls                         the calls that companions were asked for
//! permissions companion         the calls that are declared; a companion for each case
//! workdir                       a case's working directory, with its tool and companion
//! ```

pub mod aws;
pub mod blocks;
pub mod calls;
pub mod ci;
pub mod companion;
pub mod dist;
pub mod group;
pub mod guide;
mod http;
pub mod mirror;
pub mod paths;
pub mod permissions;
pub mod proxy;
pub mod receiver;
pub mod refuser;
pub mod registry;
mod roots;
mod runtime;
pub mod scalr;
pub mod surroundings;
pub mod tools;
pub mod workdir;

pub use runtime::block_on;
