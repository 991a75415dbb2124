//! An event on a custom event bus.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::log::sequence;
use crate::clock::{Millis, rfc3339_millis};
use crate::segments::RECORD_BYTES_MAX;

/// More than what is kept with an event besides its texts.
const OTHER_BYTES: usize = 4096;

/// What `ContentType` says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ContentType {
    /// Of PutEvents and event sources: the data is an envelope.
    #[serde(rename = "application/eventbridge+json")]
    EventBridge,
    #[serde(rename = "application/json")]
    Json,
    /// The data is base64 here.
    #[serde(rename = "application/octet-stream")]
    Bytes,
}

impl ContentType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::EventBridge => "application/eventbridge+json",
            Self::Json => "application/json",
            Self::Bytes => "application/octet-stream",
        }
    }
}

/// An event that a bus keeps. It is stored as [`Kept`](super::kept::Kept) says; snapshots of earlier versions have it in this form.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Event {
    pub(crate) number: u64,
    pub(crate) at: Millis,
    pub(crate) id: Arc<str>,
    /// The id under which its story is told: that of the event which came to the first bus.
    pub(crate) story: Arc<str>,
    pub(crate) data: Arc<str>,
    pub(crate) content: ContentType,
    pub(crate) group: Arc<str>,
    pub(crate) deduplication: Option<String>,
    pub(crate) source: Option<Arc<str>>,
    pub(crate) detail_type: Option<Arc<str>>,
    /// The publisher's own pairs.
    pub(crate) metadata: BTreeMap<String, String>,
    /// The ARNs of the buses that it has passed before, custom ones and others.
    #[serde(default)]
    pub(crate) passed: Vec<Arc<str>>,
}

/// An event that is published on a custom event bus.
pub(crate) struct NewEvent {
    /// The id under which its story is told already.
    pub(crate) story: Option<Arc<str>>,
    pub(crate) data: Arc<str>,
    pub(crate) content: ContentType,
    pub(crate) group: Option<String>,
    pub(crate) deduplication: Option<String>,
    pub(crate) source: Option<Arc<str>>,
    pub(crate) detail_type: Option<Arc<str>>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// The ARNs of the buses that it has passed.
    pub(crate) passed: Vec<Arc<str>>,
}

impl Event {
    pub(crate) fn sequence(&self) -> String {
        sequence(self.number)
    }

    /// What the bus adds, all of it text.
    pub(crate) fn system_metadata(&self, replayed: bool) -> Value {
        let mut members = Map::new();
        let mut set = |name: &str, value: String| members.insert(name.to_owned(), Value::String(value));
        set("aws:EventId", self.id.to_string());
        set("aws:IngestionTime", rfc3339_millis(self.at));
        set("aws:SequenceNumber", self.sequence());
        set(
            "aws:DeliveryType",
            if replayed { "REPLAY" } else { "LIVE" }.to_owned(),
        );
        set("EventGroupId", self.group.to_string());
        set("ContentType", self.content.as_str().to_owned());
        for (name, value) in [
            ("aws:Source", self.source.as_deref()),
            ("aws:DetailType", self.detail_type.as_deref()),
            ("DeduplicationId", self.deduplication.as_deref()),
        ] {
            if let Some(value) = value {
                set(name, value.to_owned());
            }
        }
        Value::Object(members)
    }

    /// The data as JSON text: bytes that are none are a text in base64.
    pub(crate) fn json(&self) -> Arc<str> {
        match self.content {
            ContentType::Bytes => Value::from(&*self.data).to_string().into(),
            ContentType::EventBridge | ContentType::Json => Arc::clone(&self.data),
        }
    }

    /// Whether it can be kept: its texts are escaped where it is, to six times their length at most.
    pub(crate) fn can_be_kept(&self) -> bool {
        let own = self.metadata.iter().map(|(key, value)| key.len() + value.len());
        let texts = [Some(&self.group), self.source.as_ref(), self.detail_type.as_ref()];
        let texts = texts.into_iter().flatten().map(|text| text.len());
        let passed = self.passed.iter().map(|arn| arn.len());
        let deduplication = self.deduplication.as_ref().map_or(0, String::len);
        let escaped = own.chain(texts).chain(passed).sum::<usize>() + deduplication;
        self.data.len() + 6 * escaped + OTHER_BYTES <= RECORD_BYTES_MAX
    }
}
