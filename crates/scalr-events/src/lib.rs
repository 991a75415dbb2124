//! The events Scalr streams to EventBridge: their types, samples, fields and ready patterns.
//!
//! Scalr sends two detail types. [`RunExecuted`] goes out after every run; [`AuditLog`] goes out for each
//! changing call once a connection is selected in the account's audit-log setting.

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
