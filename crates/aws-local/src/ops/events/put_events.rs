//! PutEvents and PutPartnerEvents: entries are validated one by one, and the accepted ones published at once.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::DEFAULT_BUS;
use crate::arn::Arn;
use crate::clock::{Millis, read_time};
use crate::delivery::envelope::{Envelope, Parts};
use crate::delivery::{drop_event, may_put, publish};
use crate::fault::Fault;
use crate::jsontext::compact_object;
use crate::ops::{Answer, Call, Op, Operation};
use crate::state::RealmId;
use crate::state::source::State;

/// The bytes that AWS counts for an entry's time.
const TIME_BYTES: usize = 14;
const DETAIL_TYPE_CHARS_MAX: usize = 128;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("PutEvents", |call, input| put_events(call, &input)),
    &Op::write("PutPartnerEvents", |call, put: Put| {
        put_partner_events(call, &put.entries)
    }),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    entries: Vec<Entry>,
    endpoint_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    time: Option<Value>,
    source: Option<String>,
    #[serde(default)]
    resources: Option<Vec<String>>,
    detail_type: Option<String>,
    detail: Option<String>,
    event_bus_name: Option<String>,
}

/// An entry with all required members.
struct ValidEntry<'e> {
    source: &'e str,
    detail_type: &'e str,
    /// Compact.
    detail: Cow<'e, str>,
    time: Millis,
    resources: &'e [String],
}

/// Why an entry was refused; others of the batch may be accepted.
struct Refusal(&'static str, String);

fn put_events(call: &mut Call<'_>, put: &Put) -> Answer {
    let entries = &put.entries;
    if let Some(id) = &put.endpoint_id {
        return Err(Fault::validation(format!(
            "Parameter EndpointId is not valid. Reason: Endpoint {id} does not exist. The local AWS has no global endpoints."
        )));
    }
    check_size(call, entries)?;
    Ok(each(call, entries, put_event))
}

/// Puts one entry after the other; each leaves the later ones their part of the steps.
fn each(
    call: &mut Call<'_>,
    entries: &[Entry],
    put: fn(&mut Call<'_>, &Entry) -> Result<Arc<str>, Refusal>,
) -> Value {
    let mut results = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        call.turn.events = entries.len() - at;
        results.push(put(call, entry));
    }
    answer(results)
}

fn put_event(call: &mut Call<'_>, entry: &Entry) -> Result<Arc<str>, Refusal> {
    let valid = validate(entry, call.turn.now)?;
    if valid.source.starts_with("aws.") {
        return Err(Refusal(
            "NotAuthorizedForSourceException",
            "Not authorized for the source.".to_owned(),
        ));
    }
    let given = entry.event_bus_name.as_deref().unwrap_or(DEFAULT_BUS);
    let (to, bus) = match Arn::parse(given) {
        Some(arn) => (
            RealmId::new(arn.account, arn.region),
            arn.event_bus().unwrap_or(given),
        ),
        None => (call.here(), given),
    };
    let (account, region) = (call.caller.account.clone(), to.region().to_owned());
    if !may_put(&mut call.turn, &to, bus, &account, "") {
        let why = "Access to the resource is denied: the bus's policy does not allow it.".to_owned();
        return Err(Refusal("AccessDeniedException", why));
    }
    let envelope = new_envelope(call, &valid, &account, &region);
    let id = envelope.id.clone();
    publish(&mut call.turn, &to, bus, &envelope);
    Ok(id)
}

fn put_partner_events(call: &mut Call<'_>, entries: &[Entry]) -> Answer {
    check_any(entries)?;
    check_size(call, entries)?;
    Ok(each(call, entries, put_partner_event))
}

fn put_partner_event(call: &mut Call<'_>, entry: &Entry) -> Result<Arc<str>, Refusal> {
    let valid = validate(entry, call.turn.now)?;
    let region = call.caller.region.clone();
    let partner = call.caller.account.clone();
    let source = call.turn.world.sources_in(&region).get(valid.source);
    let ours = source.filter(|source| source.partner == partner && source.state != State::Deleted);
    let Some((customer, state)) = ours.map(|source| (source.customer.clone(), source.state)) else {
        let why = format!(
            "The event source {} does not exist or is not yours.",
            valid.source
        );
        return Err(Refusal("NotAuthorizedForSourceException", why));
    };
    let envelope = new_envelope(call, &valid, &customer, &region);
    let id = envelope.id.clone();
    // While the source is PENDING the partner is answered with success and no bus gets the event.
    if state == State::Active {
        publish(
            &mut call.turn,
            &RealmId::new(&customer, &region),
            valid.source,
            &envelope,
        );
    } else {
        let why = format!(
            "The event source {} is {}: no bus receives its events.",
            valid.source,
            state.as_str()
        );
        drop_event(&mut call.turn, &envelope, why);
    }
    Ok(id)
}

/// AWS documents that a request without any entry that could be an event fails as a whole. PutEvents does not do so:
/// its recorded answers have a slot for each entry even then.
fn check_any(entries: &[Entry]) -> Result<(), Fault> {
    let complete =
        |entry: &Entry| entry.source.is_some() && entry.detail_type.is_some() && entry.detail.is_some();
    if entries.iter().any(complete) {
        return Ok(());
    }
    Err(Fault::validation(
        "No entry has all of Source, DetailType and Detail.",
    ))
}

fn check_size(call: &Call<'_>, entries: &[Entry]) -> Result<(), Fault> {
    if entries.iter().map(size).sum::<usize>() > call.put_bytes_max {
        return Err(Fault::validation(
            "Total size of the entries in the request is over the limit.",
        ));
    }
    Ok(())
}

/// AWS's size formula.
fn size(entry: &Entry) -> usize {
    let text = |field: &Option<String>| field.as_ref().map_or(0, String::len);
    let resources = entry.resources.iter().flatten().map(String::len).sum::<usize>();
    let time = if entry.time.is_some() { TIME_BYTES } else { 0 };
    time + text(&entry.source) + text(&entry.detail_type) + text(&entry.detail) + resources
}

fn validate(entry: &Entry, now: Millis) -> Result<ValidEntry<'_>, Refusal> {
    let needed = |field: &'static str, value: &'_ Option<String>| {
        if value.as_ref().is_some_and(|text| !text.is_empty()) {
            return Ok(());
        }
        Err(Refusal(
            "InvalidArgument",
            format!("Parameter {field} is not valid. Reason: {field} is a required argument."),
        ))
    };
    needed("Source", &entry.source)?;
    needed("DetailType", &entry.detail_type)?;
    needed("Detail", &entry.detail)?;
    let detail_type = entry.detail_type.as_deref().unwrap_or_default();
    if detail_type.chars().count() > DETAIL_TYPE_CHARS_MAX {
        let why = "Parameter DetailType is not valid. Reason: DetailType must be at most 128 characters.";
        return Err(Refusal("InvalidArgument", why.to_owned()));
    }
    let detail = entry.detail.as_deref().unwrap_or_default();
    let malformed = || Refusal("MalformedDetail", "Detail is malformed.".to_owned());
    let detail = compact_object(detail).ok_or_else(malformed)?;
    let bad_time = || Refusal("InvalidArgument", "Parameter Time is not valid.".to_owned());
    let time = entry
        .time
        .as_ref()
        .map_or(Ok(now), |time| read_time(time).ok_or_else(bad_time))?;
    let source = entry.source.as_deref().unwrap_or_default();
    Ok(ValidEntry {
        source,
        detail_type,
        detail,
        time,
        resources: entry.resources.as_deref().unwrap_or_default(),
    })
}

fn new_envelope(call: &mut Call<'_>, valid: &ValidEntry<'_>, account: &str, region: &str) -> Envelope {
    Envelope::new(Parts {
        id: call.turn.dice.id(),
        detail_type: valid.detail_type,
        source: valid.source,
        account,
        time: valid.time,
        region,
        resources: valid.resources,
        detail: &valid.detail,
    })
}

fn answer(results: Vec<Result<Arc<str>, Refusal>>) -> Value {
    let failed = results.iter().filter(|result| result.is_err()).count();
    let rows: Vec<Value> = results
        .into_iter()
        .map(|result| match result {
            Ok(id) => json!({ "EventId": id }),
            Err(Refusal(code, message)) => json!({ "ErrorCode": code, "ErrorMessage": message }),
        })
        .collect();
    json!({ "FailedEntryCount": failed, "Entries": rows })
}
