//! The local AWS over HTTP: by AWS's own SDK, and request by request as data.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bounds;
mod bus_log_groups;
mod bus_logs;
mod client;
mod deliver;
mod durable;
mod eventbridge;
mod eventsv2;
mod faults;
mod guards;
mod hostile;
mod iam;
mod log_targets;
mod logs;
mod messages;
mod outside;
mod partitions;
mod partner;
mod pattern;
mod query;
mod rate;
mod refuse;
mod script;
mod sns;
mod source;
mod sqs;
mod sts;
mod tail;
mod targets;
mod vanish;
mod vended;
