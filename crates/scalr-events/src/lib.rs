//! The events that Scalr streams to AWS EventBridge: types, samples, fields and patterns.
//!
#![doc = include_str!("../README.md")]
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! audit_log nearest run_executed    leaves: the two details, and names close to a misspelt one
//! event_type                        the two types by name
//! catalogue sample                  every field of an event; one sample of each
//! values                            whether a comparison can match any value of a field
//! pattern                           a pattern from a type and filters
//! unmatched                         why a pattern, or a part of one, matches no event
//! ```

mod audit_log;
pub mod catalogue;
mod event_type;
mod nearest;
mod pattern;
mod run_executed;
mod sample;
mod unmatched;
mod values;

pub use audit_log::{AccessToken, Actor, AuditLog, CallOutcome, Context, Named, Request, Target};
pub use catalogue::SOURCE_PREFIX;
pub use event_type::{EventType, UnknownType};
pub use nearest::nearest;
pub use pattern::{PatternError, event_pattern};
pub use run_executed::{Run, RunExecuted};
pub use sample::{sample, sample_text};
pub use unmatched::{Unmatched, unmatched};
