//! Amazon EventBridge event patterns: compile, match, explain a miss.
//!
//! What a pattern means is what AWS's published engine, event-ruler 2.0.1, makes of it, oddities included.
//!
//! ```
//! use event_pattern::Pattern;
//!
//! let pattern = Pattern::compile(r#"{"source": [{"prefix": "aws.partner/scalr.com"}]}"#)?;
//! assert!(pattern.matches(r#"{"source": "aws.partner/scalr.com/acme/prod"}"#)?);
//!
//! let miss = pattern.explain(r#"{"Source": "aws.partner/scalr.com/acme/prod"}"#)?;
//! assert_eq!(miss.leaves[0].nearest.as_deref(), Some("Source"));
//!
//! let refused = Pattern::compile(r#"{"source": []}"#).unwrap_err();
//! assert_eq!(refused.reason(), "Empty arrays are not allowed");
//! assert_eq!((refused.line(), refused.column()), (Some(1), Some(14)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! error names value ip number folded wildcard    leaves: errors, the trie of field names, what values are compared by
//! json scan steps                                reading JSON: exactly as AWS's parser, and fast; what an event may cost
//! comparison                                     one comparison of one value
//! automaton                                      AWS's automaton, where comparisons of one field interfere
//! any_of                                         the comparisons of one field, of which one must pass
//! compile event                                  a pattern's alternatives; an event's values
//! choice                                         whether an alternative holds within the elements of arrays
//! pattern                                        one pattern
//! explain limits matcher                         why a miss; EventBridge's limits; many patterns at once
//! near subscriber                                what nearly matched; the filters of a custom event bus
//! ```

#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod any_of;
mod automaton;
mod choice;
mod comparison;
mod compile;
mod error;
mod event;
mod explain;
mod folded;
mod ip;
mod json;
mod limits;
mod matcher;
mod names;
mod near;
mod number;
mod pattern;
mod scan;
mod steps;
mod subscriber;
mod value;
mod wildcard;

pub use error::{Error, ErrorKind, EventError};
pub use explain::{Explanation, LEAVES_MAX, Leaf};
pub use limits::{
    COMBINATIONS_MAX, COMPLEXITY_MAX, LENGTH_MAX, LENGTH_QUOTA, NUMBER_MAX, Warning, wildcard_complexity,
};
pub use matcher::{Found, Matcher};
pub use near::NearMiss;
pub use pattern::Pattern;
pub use scan::plain;
pub use steps::STEPS_MAX;
pub use subscriber::{FILTER_BYTES_MAX, FilterError, Filters, Parts, Scope};
