//! PutEvents and PutRawEvents: entries are validated one by one, and the accepted ones kept and delivered at once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::arns::{allowed_bus, check_state};
use super::faults::{invalid, not_here};
use crate::clock::read_time;
use crate::delivery::custom_bus::publish_directly;
use crate::delivery::envelope::{Envelope, Parts};
use crate::fault::Fault;
use crate::jsontext::compact_object;
use crate::ops::{Call, LongOp, Operation, PutResult, PutResults};
use crate::state::RealmId;
use crate::state::custom_bus::{BusState, ContentType, CustomBus, NewEvent, PublishCall, sequence};

/// The most bytes of the entries of one request.
const REQUEST_BYTES_MAX: usize = 1_048_576;
/// The bytes that are counted for an entry's time, as by Classic's formula.
const TIME_BYTES: usize = 14;
/// The one code of an entry that AWS's guide names.
const VALIDATION: &str = "VALIDATION_ERROR";

pub(super) const OPS: &[&dyn Operation] = &[
    &LongOp::write("PutEvents", |body| {
        let mut put = Put::<Entry<'_>>::deserialize(body)?;
        put.entries.iter_mut().for_each(Entry::prepare);
        Ok(Box::new(move |call| put_events(call, &put).map(Into::into)))
    }),
    &LongOp::write("PutRawEvents", |body| {
        let put = Put::<RawEntry<'_>>::deserialize(body)?;
        Ok(Box::new(move |call| put_raw_events(call, &put).map(Into::into)))
    }),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put<E> {
    event_bus_arn: String,
    entries: Vec<E>,
    deduplication_configuration: Option<Value>,
    schema_registry_configuration: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'b> {
    source: &'b str,
    detail_type: &'b str,
    #[serde(borrow)]
    detail: Option<&'b str>,
    #[serde(default)]
    resources: Vec<String>,
    time: Option<Value>,
    #[serde(default)]
    system_metadata: Grouping,
    /// The detail without blanks, if it is an object: found before the engine's lock is taken.
    #[serde(skip)]
    compact: Option<Cow<'b, str>>,
}

impl Entry<'_> {
    fn prepare(&mut self) {
        self.compact = compact_object(self.detail.unwrap_or("{}"));
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawEntry<'b> {
    /// Base64 here.
    data: &'b str,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    system_metadata: Grouping,
}

/// What a publisher says of an event besides its content.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Grouping {
    event_group_id: Option<String>,
    deduplication_id: Option<String>,
    content_type: Option<String>,
}

/// Why an entry was refused; others of the request may be accepted.
struct Refusal(&'static str, String);

/// What an entry becomes, and the digest of its content where that is what it is deduplicated by.
struct Accepted {
    event: NewEvent,
    digest: Option<String>,
}

fn put_events(call: &mut Call<'_>, put: &Put<Entry<'_>>) -> Result<PutResults, Fault> {
    let size = |entry: &Entry<'_>| {
        let texts = [entry.source, entry.detail_type].into_iter().chain(entry.detail);
        let text = texts.chain(entry.resources.iter().map(String::as_str));
        text.map(str::len).sum::<usize>() + entry.time.as_ref().map_or(0, |_| TIME_BYTES)
    };
    put_all(call, put, "events:PutEvents", (size, accept))
}

fn put_raw_events(call: &mut Call<'_>, put: &Put<RawEntry<'_>>) -> Result<PutResults, Fault> {
    if put.schema_registry_configuration.is_some() {
        return Err(not_here("Schema registries"));
    }
    let size = |entry: &RawEntry<'_>| {
        let own = entry.metadata.iter().map(|(key, value)| key.len() + value.len());
        entry.data.len() / 4 * 3 + own.sum::<usize>()
    };
    put_all(call, put, "events:PutRawEvents", (size, accept_raw))
}

/// What an entry becomes, deduplicated by its content or not.
type Accept<E> = fn(&mut Call<'_>, &E, bool) -> Result<Accepted, Refusal>;

fn put_all<E>(
    call: &mut Call<'_>,
    put: &Put<E>,
    action: &str,
    (size, accept): (impl Fn(&E) -> usize, Accept<E>),
) -> Result<PutResults, Fault> {
    let now = call.turn.now;
    let (realm, found) = allowed_bus(call, &put.event_bus_arn, action)?;
    let name = found.name.clone();
    check_state(found, now, "PutEvents", &[BusState::Active, BusState::Updating])?;
    let bytes: usize = put.entries.iter().map(size).sum();
    if bytes > REQUEST_BYTES_MAX {
        return Err(invalid(format!(
            "The entries have {bytes} bytes together; a request may have {REQUEST_BYTES_MAX}."
        )));
    }
    let publisher = Arc::from(call.caller.account.as_str());
    let by_content = put.deduplication_configuration.is_some();
    let (mut results, mut failed) = (Vec::with_capacity(put.entries.len()), 0);
    for (at, entry) in put.entries.iter().enumerate() {
        call.turn.events = put.entries.len() - at;
        let accepted = accept(call, entry, by_content);
        let put = accepted.and_then(|accepted| put_one(call, (&realm, &name, &publisher), accepted));
        results.push(match put {
            Ok(answer) => answer,
            Err(Refusal(error_code, error_message)) => {
                failed += 1;
                PutResult::Refused {
                    error_code,
                    error_message,
                }
            }
        });
    }
    call.turn.published(PublishCall {
        realm,
        bus: name,
        entries: results.len(),
        failed,
    });
    Ok(PutResults {
        entries: results,
        failed_entry_count: failed,
    })
}

/// Publishes an entry, unless one with its deduplication id came before.
fn put_one(
    call: &mut Call<'_>,
    (realm, bus, publisher): (&RealmId, &str, &Arc<str>),
    accepted: Accepted,
) -> Result<PutResult, Refusal> {
    let now = call.turn.now;
    let mut event = accepted.event;
    if event.deduplication.is_none() {
        event.deduplication = accepted.digest;
    }
    let group = event.group.clone().unwrap_or_default();
    let deduplication = event.deduplication.clone();
    if let Some(id) = &deduplication
        && let Some(found) = there(call, realm, bus).and_then(|bus| bus.log.seen(publisher, &group, id, now))
    {
        return Ok(PutResult::Accepted {
            event_id: Arc::clone(&found.id),
            sequence_number: sequence(found.number),
            success_code: "DEDUPLICATED",
        });
    }
    let kept = publish_directly(&mut call.turn, realm, (bus, publisher), event).ok_or_else(|| {
        let why = "The event and its metadata are too long to be kept.";
        Refusal(VALIDATION, why.to_owned())
    })?;
    Ok(PutResult::Accepted {
        event_id: Arc::clone(&kept.id),
        sequence_number: kept.sequence(),
        success_code: "PUBLISHED",
    })
}

fn there<'c>(call: &'c mut Call<'_>, realm: &RealmId, bus: &str) -> Option<&'c mut CustomBus> {
    call.turn.world.realm(realm).custom_buses.buses.get_mut(bus)
}

fn digest(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

/// Classic's envelope round an entry.
fn accept(call: &mut Call<'_>, entry: &Entry<'_>, by_content: bool) -> Result<Accepted, Refusal> {
    let refused = |why: &str| Refusal(VALIDATION, why.to_owned());
    if entry.source.starts_with("aws.") {
        let code = call.turn.world.assumptions.aws_source_entry.code();
        return Err(Refusal(code, "Source must not begin with aws.".to_owned()));
    }
    let detail = entry.compact.as_deref();
    let detail = detail.ok_or_else(|| refused("Detail is malformed: it has to be a JSON object."))?;
    let time = match &entry.time {
        Some(time) => read_time(time).ok_or_else(|| refused("Time is out of range."))?,
        None => call.turn.now,
    };
    let envelope = Envelope::new(Parts {
        id: call.turn.dice.id(),
        detail_type: entry.detail_type,
        source: entry.source,
        account: &call.caller.account,
        time,
        region: &call.caller.region,
        resources: &entry.resources,
        detail,
    });
    let digest = by_content.then(|| {
        let resources = entry.resources.join("\0");
        let content = [entry.source, entry.detail_type, detail, &resources];
        digest(content.join("\0").as_bytes())
    });
    let event = NewEvent {
        source: Some(entry.source.into()),
        detail_type: Some(entry.detail_type.into()),
        ..new(&entry.system_metadata, envelope.text, ContentType::EventBridge)
    };
    Ok(Accepted { event, digest })
}

fn accept_raw(_: &mut Call<'_>, entry: &RawEntry<'_>, by_content: bool) -> Result<Accepted, Refusal> {
    let refused = |why: &str| Refusal(VALIDATION, why.to_owned());
    if let Some(key) = entry.metadata.keys().find(|key| key.contains('/')) {
        return Err(Refusal(
            VALIDATION,
            format!("Metadata key {key} must not contain '/'."),
        ));
    }
    let lower: std::collections::BTreeSet<String> =
        entry.metadata.keys().map(|key| key.to_lowercase()).collect();
    if lower.len() < entry.metadata.len() {
        return Err(refused("Two Metadata keys differ in upper and lower case only."));
    }
    let bytes = BASE64
        .decode(entry.data)
        .map_err(|_| refused("Data cannot be read."))?;
    let kind = entry.system_metadata.content_type.as_deref().unwrap_or_default();
    let (data, content) = match kind.split(';').next().unwrap_or_default().trim() {
        "application/json" => {
            let text = str::from_utf8(&bytes).map_err(|_| refused("Data is not JSON."))?;
            serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|_| refused("Data is not JSON."))?;
            (text, ContentType::Json)
        }
        "application/octet-stream" => (entry.data, ContentType::Bytes),
        other => {
            return Err(Refusal(
                VALIDATION,
                format!(
                    "ContentType {other}: not in the local AWS, which has application/json and application/octet-stream."
                ),
            ));
        }
    };
    let event = NewEvent {
        metadata: entry.metadata.clone(),
        ..new(&entry.system_metadata, data.into(), content)
    };
    let digest = by_content.then(|| digest(&bytes));
    Ok(Accepted { event, digest })
}

fn new(grouping: &Grouping, data: Arc<str>, content: ContentType) -> NewEvent {
    NewEvent {
        story: None,
        data,
        content,
        group: grouping.event_group_id.clone(),
        deduplication: grouping.deduplication_id.clone(),
        source: None,
        detail_type: None,
        metadata: BTreeMap::new(),
        passed: Vec::new(),
    }
}
