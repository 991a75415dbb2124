//! An event as the segments have it: a head of JSON behind its length, and then its data as it is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::event::{ContentType, Event};
use crate::clock::Millis;
use crate::segments::LogId;
use crate::state::RealmId;

/// The version of the form; another one is refused.
const VERSION: u8 = 1;
/// The bytes in front of the head: the version and the head's length.
const FRONT_BYTES: usize = 5;

/// An event to be kept, and in which log.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) log: LogId,
    pub(crate) event: Arc<Event>,
    /// Of an event that a caller published: the change that did so is in the journal without it.
    pub(crate) origin: Option<Origin>,
}

/// What is stored of a call that published events, besides those.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PublishCall {
    pub(crate) realm: RealmId,
    pub(crate) bus: String,
    /// How many entries it had, and how many of them were refused.
    pub(crate) entries: usize,
    pub(crate) failed: usize,
}

/// What it takes to publish an event again as it was published.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) publisher: Arc<str>,
    /// The group that the publisher gave; empty where it gave none.
    pub(crate) group: String,
    /// The state of the turn's random numbers before it was delivered.
    pub(crate) dice: u64,
    /// With how many events, itself among them, it shared what was left of the turn's steps.
    pub(crate) share: usize,
}

/// What is in front of the data.
#[derive(Serialize, Deserialize)]
struct Head<'a> {
    at: Millis,
    id: Arc<str>,
    story: Arc<str>,
    content: ContentType,
    group: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deduplication: Cow<'a, Option<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail_type: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "is_empty")]
    metadata: Cow<'a, BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    passed: Cow<'a, [Arc<str>]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Cow<'a, Option<Origin>>,
}

fn is_empty(metadata: &BTreeMap<String, String>) -> bool {
    metadata.is_empty()
}

impl Kept {
    /// Adds what is stored in front of the data.
    pub(crate) fn encode_head(&self, bytes: &mut Vec<u8>) {
        let event = &*self.event;
        let head = Head {
            at: event.at,
            id: Arc::clone(&event.id),
            story: Arc::clone(&event.story),
            content: event.content,
            group: Arc::clone(&event.group),
            deduplication: Cow::Borrowed(&event.deduplication),
            source: event.source.clone(),
            detail_type: event.detail_type.clone(),
            metadata: Cow::Borrowed(&event.metadata),
            passed: Cow::Borrowed(&event.passed),
            origin: Cow::Borrowed(&self.origin),
        };
        let start = bytes.len();
        bytes.push(VERSION);
        bytes.extend([0; FRONT_BYTES - 1]);
        let head_at = bytes.len();
        // Plain data with text keys always serialises.
        let _ = serde_json::to_writer(&mut *bytes, &head);
        let length = u32::try_from(bytes.len() - head_at).unwrap_or(u32::MAX);
        bytes[start + 1..head_at].copy_from_slice(&length.to_le_bytes());
    }

    /// The event that a record is; the error is why this version cannot read it.
    pub(crate) fn decode(log: LogId, number: u64, bytes: &[u8]) -> Result<Self, String> {
        let short = || "it is shorter than what was written".to_owned();
        let (front, rest) = bytes.split_first_chunk::<FRONT_BYTES>().ok_or_else(short)?;
        let [version, length @ ..] = *front;
        if version != VERSION {
            return Err(format!("event of version {version}"));
        }
        let length = u32::from_le_bytes(length) as usize;
        let (head, data) = rest.split_at_checked(length).ok_or_else(short)?;
        let head: Head<'_> = serde_json::from_slice(head).map_err(|error| error.to_string())?;
        let data = str::from_utf8(data).map_err(|error| error.to_string())?;
        let event = Event {
            number,
            at: head.at,
            id: head.id,
            story: head.story,
            data: data.into(),
            content: head.content,
            group: head.group,
            deduplication: head.deduplication.into_owned(),
            source: head.source,
            detail_type: head.detail_type,
            metadata: head.metadata.into_owned(),
            passed: head.passed.into_owned(),
        };
        Ok(Self {
            log,
            event: Arc::new(event),
            origin: head.origin.into_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let metadata = BTreeMap::from([("k".to_owned(), "\u{1}\"v".to_owned())]);
        for (metadata, deduplication, origin) in [
            (BTreeMap::new(), None, None),
            (
                metadata,
                Some("d".to_owned()),
                Some(Origin {
                    publisher: "1".into(),
                    group: String::new(),
                    dice: u64::MAX,
                    share: 3,
                }),
            ),
        ] {
            let event = Event {
                number: 7,
                at: -1,
                id: "i".into(),
                story: "s".into(),
                data: "{\"a\": \"é\n\"}".into(),
                content: ContentType::EventBridge,
                group: "g".into(),
                source: deduplication.clone().map(Into::into),
                detail_type: None,
                deduplication,
                passed: metadata.keys().map(|key| key.as_str().into()).collect(),
                metadata,
            };
            let kept = Kept {
                log: LogId(2),
                event: Arc::new(event),
                origin,
            };
            let mut bytes = b"before".to_vec();
            kept.encode_head(&mut bytes);
            bytes.extend(kept.event.data.as_bytes());
            let bytes = &bytes["before".len()..];
            let read = Kept::decode(LogId(2), 7, bytes).unwrap();
            assert_eq!(format!("{read:?}"), format!("{kept:?}"));
            for cut in 0..bytes.len() - kept.event.data.len() {
                assert!(Kept::decode(LogId(2), 7, &bytes[..cut]).is_err(), "{cut}");
            }
        }
        assert_eq!(
            Kept::decode(LogId(1), 1, &[9; 20]).unwrap_err(),
            "event of version 9"
        );
    }
}
