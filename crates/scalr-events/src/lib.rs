//! The events Scalr streams to EventBridge: their types, samples, fields and ready patterns.
//!
//! Scalr sends two detail types. [`RunExecuted`] goes out after every run; [`AuditLog`] goes out for each
//! changing call once a connection is selected in the account's audit-log setting.
//!
//! # Floors
//! A module uses only what is below it; `cargo xtask tidy` checks that.
//! ```text
//! nearest audit_log run_executed   leaves: spelling suggestions; the two detail types
//! event_type                       which of the two
//! catalogue sample                 the fields of each, and an event of each
//! pattern                          event patterns over these fields
//! unmatched                        why a pattern matches no event of Scalr's
//! ```

mod audit_log;
pub mod catalogue;
mod event_type;
mod nearest;
mod pattern;
mod run_executed;
mod sample;
mod unmatched;

pub use audit_log::{AccessToken, Actor, AuditLog, Context, Named, Outcome, Request, Target};
pub use event_type::{EventType, UnknownType};
pub use nearest::nearest;
pub use pattern::{PatternError, SOURCE_PREFIX, event_pattern};
pub use run_executed::{Run, RunExecuted};
pub use sample::{sample, sample_text};
pub use unmatched::unmatched;
