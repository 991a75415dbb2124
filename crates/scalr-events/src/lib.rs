//! The events that Scalr streams to AWS EventBridge: types, samples, fields and patterns.
//!
#![doc = include_str!("../README.md")]
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! audit_log block_name nearest run_executed   leaves: the two details; names of blocks, and those close to a misspelt one
//! event_type regions                the two types by name; AWS's regions
//! catalogue/                        every field of an event
//! ids                               ids in a pattern that Scalr can be asked for
//! source values                     what an event source consists of; whether a comparison can match any value of a field
//! pattern/ sample schema/           a pattern from a type and filters; one sample of each type; the JSON Schemas of the details
//! unmatched                         why a pattern, or a part of one, matches no event
//! explained                         what a pattern makes of an event, and what is to be written instead
//! ```

mod audit_log;
mod block_name;
pub mod catalogue;
mod event_type;
mod explained;
mod ids;
mod nearest;
mod pattern;
pub mod regions;
mod run_executed;
mod sample;
mod schema;
mod source;
mod unmatched;
mod values;

pub use audit_log::{AccessToken, Actor, AuditLog, CallOutcome, Context, Named, Request, Target};
pub use block_name::{block_name, is_generated};
pub use catalogue::SOURCE_PREFIX;
pub use event_type::{EventType, UnknownType};
pub use explained::{Explained, explain, leaf_in_words};
pub use ids::{Identified, NamedId, ids};
pub use nearest::nearest;
pub use pattern::{ANY_OF, PatternError, event_pattern};
pub use run_executed::{Run, RunExecuted, run_event_type, run_title};
pub use sample::{SampleError, sample, sample_event, sample_text, sample_with, value_of_text};
pub use schema::{Mismatch, check_detail, path_name, schema_text};
pub use source::{
    SOURCE_LENGTH_MAX, SOURCE_SEGMENT_LENGTH_MAX, SegmentError, check_source_segment, is_aws_account_id,
};
pub use unmatched::{Unmatched, unmatched};
