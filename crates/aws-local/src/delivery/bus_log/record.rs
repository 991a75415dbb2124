//! A record of a bus's log. Its members, and their order, are those of AWS's guide (eb-event-logs-schema).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::delivery::envelope::Envelope;
use crate::jsontext::{self, cut};
use crate::state::bus::LogLevel;

/// A record is a log event, which has 1 MiB at most, 26 bytes of overhead among them.
const RECORD_BYTES_MAX: usize = 1024 * 1024 - 26;

/// A step of processing an event, and the lowest level of a log that has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) level: LogLevel,
}

/// The table of eb-event-bus-logs, "Specifying event bus log level".
impl Step {
    pub(super) const EVENT_RECEIPT: Self = Self::new("EVENT_RECEIPT", LogLevel::Trace);
    pub(super) const EVENT_INGEST_SUCCESS: Self = Self::new("EVENT_INGEST_SUCCESS", LogLevel::Info);
    pub(super) const RULE_MATCH_START: Self = Self::new("RULE_MATCH_START", LogLevel::Trace);
    pub(super) const RULE_MATCH: Self = Self::new("RULE_MATCH", LogLevel::Info);
    pub(super) const NO_STANDARD_RULES_MATCHED: Self = Self::new("NO_STANDARD_RULES_MATCHED", LogLevel::Info);
    pub(super) const INVOCATION_START: Self = Self::new("INVOCATION_START", LogLevel::Info);
    pub(super) const INVOCATION_ATTEMPT_START: Self = Self::new("INVOCATION_ATTEMPT_START", LogLevel::Trace);
    pub(super) const INVOCATION_ATTEMPT_SUCCESS: Self =
        Self::new("INVOCATION_ATTEMPT_SUCCESS", LogLevel::Trace);
    pub(super) const INVOCATION_ATTEMPT_RETRYABLE_FAILURE: Self =
        Self::new("INVOCATION_ATTEMPT_RETRYABLE_FAILURE", LogLevel::Error);
    pub(super) const INVOCATION_ATTEMPT_PERMANENT_FAILURE: Self =
        Self::new("INVOCATION_ATTEMPT_PERMANENT_FAILURE", LogLevel::Error);
    pub(super) const INVOCATION_ATTEMPT_THROTTLE: Self =
        Self::new("INVOCATION_ATTEMPT_THROTTLE", LogLevel::Error);
    pub(super) const INVOCATION_SUCCESS: Self = Self::new("INVOCATION_SUCCESS", LogLevel::Info);
    pub(super) const INVOCATION_FAILURE: Self = Self::new("INVOCATION_FAILURE", LogLevel::Error);
    pub(super) const INVOCATION_DLQ: Self = Self::new("INVOCATION_DLQ", LogLevel::Error);

    const fn new(name: &'static str, level: LogLevel) -> Self {
        Self { name, level }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    pub(super) resource_arn: &'a str,
    pub(super) event_bus_name: &'a str,
    pub(super) request_id: String,
    pub(super) event_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) invocation_id: Option<String>,
    pub(super) message_timestamp_ms: Millis,
    pub(super) message_type: &'static str,
    pub(super) log_level: LogLevel,
    pub(super) details: Details<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) dropped_fields: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Failure<'a>>,
}

/// What a record says of its step.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Details<'a> {
    Arrived(Arrived<'a>),
    Matched(Matched<'a>),
    Started(Started<'a>),
    Attempted(Attempted<'a>),
    Ended(Ended<'a>),
    None {},
}

/// The event, of the steps before its targets are invoked.
#[derive(Debug, Serialize)]
pub(super) struct Arrived<'a> {
    caller_account_id: String,
    source_time_ms: Millis,
    source: String,
    detail_type: String,
    resources: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_detail: Option<&'a str>,
}

/// The members of an envelope that a record has.
#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "detail-type")]
    detail_type: String,
    source: String,
    account: String,
    resources: Vec<String>,
}

impl<'a> Arrived<'a> {
    /// Every event has these members: the envelope is ours.
    pub(super) fn read(envelope: &'a Envelope, with_detail: bool) -> Option<Self> {
        let frame: Frame = serde_json::from_str(&envelope.text).ok()?;
        let detail = [jsontext::Step::Key("detail".to_owned())];
        Some(Self {
            caller_account_id: frame.account,
            source_time_ms: envelope.time,
            source: frame.source,
            detail_type: frame.detail_type,
            resources: frame.resources,
            event_detail: with_detail.then(|| cut(&envelope.text, &detail)).flatten(),
        })
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Matched<'a> {
    pub(super) rule_arn: &'a str,
    pub(super) target_arns: Vec<&'a str>,
    pub(super) invocation_ids: Vec<String>,
}

/// The rule and its target.
#[derive(Debug, Serialize)]
pub(super) struct Called<'a> {
    #[serde(rename = "rule_arn")]
    pub(super) rule: &'a str,
    #[serde(rename = "role_arn", skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'a str>,
    #[serde(rename = "target_arn")]
    pub(super) target: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Started<'a> {
    #[serde(flatten)]
    pub(super) called: Called<'a>,
    pub(super) attempt_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target_input: Option<Arc<str>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Attempted<'a> {
    #[serde(flatten)]
    pub(super) called: Called<'a>,
    pub(super) attempt_type: &'static str,
    pub(super) attempt_count: u32,
    pub(super) invocation_status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target_duration_ms: Option<Millis>,
}

#[derive(Debug, Serialize)]
pub(super) struct Ended<'a> {
    #[serde(flatten)]
    pub(super) called: Called<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target_input: Option<Arc<str>>,
    pub(super) total_attempts: u32,
    pub(super) final_invocation_status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ingestion_to_start_latency_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ingestion_to_complete_latency_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ingestion_to_success_latency_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target_duration_ms: Option<Millis>,
}

/// Why a step failed.
#[derive(Debug, Serialize)]
pub(super) struct Failure<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) http_status_code: Option<u16>,
    pub(super) error_message: &'a str,
    pub(super) aws_service: &'a str,
}

impl Record<'_> {
    /// Its text, without the field that it has no room for; none where it is too long even so.
    pub(super) fn text(mut self) -> Option<String> {
        let whole = serde_json::to_string(&self).ok()?;
        if whole.len() <= RECORD_BYTES_MAX {
            return Some(whole);
        }
        drop(whole);
        self.dropped_fields.push(self.details.shorten()?);
        let text = serde_json::to_string(&self).ok()?;
        (text.len() <= RECORD_BYTES_MAX).then_some(text)
    }
}

impl Details<'_> {
    /// Takes out the one field that may be long; gives its name.
    fn shorten(&mut self) -> Option<&'static str> {
        match self {
            Self::Arrived(event) => event.event_detail.take().map(|_| "event_detail"),
            Self::Started(Started { target_input, .. }) | Self::Ended(Ended { target_input, .. }) => {
                target_input.take().map(|_| "target_input")
            }
            Self::Matched(_) | Self::Attempted(_) | Self::None {} => None,
        }
    }
}
