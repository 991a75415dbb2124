//! What a target is given of an event: the payload, and the parameters of the call.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::failure::Failure;
use crate::clock::Dice;
use crate::jsonata::{Limits, Setting};
use crate::state::custom_bus::{ContentType, Event, Subscriber};
use crate::turn::Turn;

/// The steps of an evaluation that costs little: it has a thread of its own.
const EVALUATION_STEPS: usize = 5_000;
/// The steps of a unit of an evaluation's work.
const STEPS_OF_WORK: usize = 10;

/// The payload of an event, transformed as the subscriber asks.
pub(super) fn of(turn: &mut Turn<'_>, subscriber: &Subscriber, event: &Event) -> Result<Arc<str>, Failure> {
    let kind = subscriber
        .transformer
        .as_ref()
        .and_then(|transformer| transformer.get("Type"));
    match (kind.and_then(Value::as_str), subscriber.program.transformer()) {
        (Some("WITH_METADATA"), _) => Ok(with_metadata(subscriber, event)),
        (Some("JSONATA"), Some(Ok(expression))) => {
            let setting = setting(turn);
            let result = expression.evaluate(&with_metadata(subscriber, event), &setting);
            charge(turn, &setting);
            let output = result.map_err(|failure| Failure::transformation(failure.to_string()))?;
            Ok(output.payload().into())
        }
        (Some("JSONATA"), Some(Err(why))) => Err(Failure::transformation(why)),
        _ => Ok(raw(event)),
    }
}

/// What another custom event bus gets: the data as it is, or what a transformer makes of it, as JSON.
pub(super) fn for_bus(
    turn: &mut Turn<'_>,
    subscriber: &Subscriber,
    event: &Event,
) -> Result<(Arc<str>, ContentType), Failure> {
    let kind = subscriber
        .transformer
        .as_ref()
        .and_then(|transformer| transformer.get("Type"));
    if kind.is_none_or(|kind| kind == "RAW") {
        return Ok((Arc::clone(&event.data), event.content));
    }
    let payload = of(turn, subscriber, event)?;
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&payload).is_ok();
    let data = if is_json {
        payload
    } else {
        Value::from(&*payload).to_string().into()
    };
    Ok((data, ContentType::Json))
}

/// The parameters of the target with the results of their expressions, if it has any; `$events` is an array for a universal target.
pub(super) fn parameters(
    turn: &mut Turn<'_>,
    subscriber: &Subscriber,
    event: &Event,
    is_array: bool,
) -> Result<Option<Value>, Failure> {
    let template = match subscriber.program.parameters() {
        None => return Ok(None),
        Some(Err(why)) => return Err(Failure::transformation(why)),
        Some(Ok(template)) => template,
    };
    let one = with_metadata(subscriber, event);
    let events = if is_array {
        ["[", &one, "]"].concat().into()
    } else {
        one
    };
    let setting = setting(turn);
    let rendered = template.render(&events, &setting);
    charge(turn, &setting);
    rendered
        .map(Some)
        .map_err(|failure| Failure::transformation(failure.to_string()))
}

/// A time that stands still and randomness from the turn's seed: a replay of the journal gives the same.
fn setting(turn: &mut Turn<'_>) -> Setting {
    turn.steps = turn.steps.saturating_sub(EVALUATION_STEPS);
    Setting {
        now: turn.now,
        dice: Dice::new(turn.dice.roll()),
        limits: Limits::default(),
        spent: Arc::default(),
    }
}

/// Takes what evaluations have cost from the turn: it ends early where they were costly.
fn charge(turn: &mut Turn<'_>, setting: &Setting) {
    let spent = usize::try_from(setting.spent.load(Relaxed)).unwrap_or(usize::MAX);
    turn.steps = turn.steps.saturating_sub(spent.saturating_mul(STEPS_OF_WORK));
}

/// The data alone. Bytes that are text go out as they are, others as base64.
fn raw(event: &Event) -> Arc<str> {
    if event.content != ContentType::Bytes {
        return Arc::clone(&event.data);
    }
    let bytes = BASE64.decode(&*event.data).unwrap_or_default();
    String::from_utf8(bytes).map_or_else(|_| Arc::clone(&event.data), Arc::from)
}

/// The three parts of an event as one object.
fn with_metadata(subscriber: &Subscriber, event: &Event) -> Arc<str> {
    let metadata = serde_json::to_string(&event.metadata).unwrap_or_default();
    let system = event
        .system_metadata(event.number <= subscriber.replayed_to)
        .to_string();
    let parts = [
        "{\"Data\":",
        &event.json(),
        ",\"Metadata\":",
        &metadata,
        ",\"SystemMetadata\":",
        &system,
        "}",
    ];
    parts.concat().into()
}
