//! The local AWS over HTTP, driven by AWS's own SDK.

mod client;
mod partner;
