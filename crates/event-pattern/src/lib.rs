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

#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod choice;
mod compile;
mod engine;
mod error;
mod event;
mod explain;
mod ip;
mod json;
mod limits;
mod matcher;
mod names;
mod number;
mod pattern;
mod scan;
mod test;

pub use error::{Error, ErrorKind, EventError};
pub use explain::{Explanation, Leaf};
pub use limits::{COMPLEXITY_MAX, LENGTH_MAX, LENGTH_QUOTA, NUMBER_MAX, Warning, wildcard_complexity};
pub use matcher::Matcher;
pub use pattern::Pattern;
