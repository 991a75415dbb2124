//! What a target is given of the events of a batch: payloads, and the parameters of calls.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::{Dice, Millis};
use crate::jsonata::{Limits, Setting};
use crate::state::custom_bus::{ContentType, Event, Program, Subscriber};

/// Once so much was made of a batch, or its expressions did so much work, the rest of it is left to another.
const BATCH_BYTES_MAX: usize = 10 * 1024 * 1024;

/// What is made of a batch: all that its subscriber asks for, and nothing of the state.
#[derive(Debug)]
pub(crate) struct Recipe {
    form: Form,
    program: Program,
    /// The parameters are of the call, for all its events, and not of each event.
    is_whole: bool,
    /// The events, and whether they are replayed.
    events: Vec<(Arc<Event>, bool)>,
    now: Millis,
    dice: Dice,
}

/// The form of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Raw,
    WithMetadata,
    Jsonata,
}

/// What was made.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Rendered {
    /// One for each event, in order; those at the end that have none are left to another batch.
    pub(crate) each: Vec<Made>,
    /// The parameters of the call.
    pub(crate) whole: Option<Whole>,
}

/// What was made of one event.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Made {
    Done(Payload),
    Failed(String),
}

/// What a target is given of one event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) text: Arc<str>,
    /// It is no JSON.
    pub(crate) is_text: bool,
    pub(crate) parameters: Option<Value>,
}

/// The parameters of a call for the whole batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Whole {
    Done(Value),
    Failed(String),
}

impl Payload {
    /// As a part of JSON.
    pub(super) fn json(&self) -> Arc<str> {
        if self.is_text {
            Value::from(&*self.text).to_string().into()
        } else {
            Arc::clone(&self.text)
        }
    }
}

impl Recipe {
    /// Time stands still, and randomness comes from the seed.
    pub(super) fn new<'e>(
        subscriber: &Subscriber,
        is_whole: bool,
        events: impl Iterator<Item = &'e Arc<Event>>,
        now: Millis,
        seed: u64,
    ) -> Self {
        let kind = subscriber
            .transformer
            .as_ref()
            .and_then(|given| given.get("Type"));
        let form = match kind.and_then(Value::as_str) {
            Some("WITH_METADATA") => Form::WithMetadata,
            Some("JSONATA") => Form::Jsonata,
            _ => Form::Raw,
        };
        let replayed_to = subscriber.replayed_to;
        let events = events.map(|event| (Arc::clone(event), event.number <= replayed_to));
        Self {
            form,
            program: subscriber.program.clone(),
            is_whole,
            events: events.collect(),
            now,
            dice: Dice::new(seed),
        }
    }

    /// Makes all that there is room for, at least of one event.
    pub(crate) fn make(&mut self) -> Rendered {
        let (mut rendered, mut bytes, mut work) = (Rendered::default(), 0, 0);
        let events = std::mem::take(&mut self.events);
        for (event, replayed) in &events {
            if bytes >= BATCH_BYTES_MAX || work >= Limits::default().work_max {
                break;
            }
            let setting = self.setting();
            let made = self.payload(event, *replayed, &setting);
            work += setting.spent.load(Relaxed);
            bytes += match &made {
                Ok(payload) => payload.text.len(),
                Err(why) => why.len(),
            };
            rendered.each.push(made.map_or_else(Made::Failed, Made::Done));
        }
        if self.is_whole {
            rendered.whole = self.whole(&events[..rendered.each.len()]);
        }
        rendered
    }

    fn setting(&mut self) -> Setting {
        Setting {
            now: self.now,
            dice: Dice::new(self.dice.roll()),
            limits: Limits::default(),
            spent: Arc::default(),
        }
    }

    fn payload(&self, event: &Event, replayed: bool, setting: &Setting) -> Result<Payload, String> {
        let (text, is_text) = match self.form {
            Form::Raw => raw(event),
            Form::WithMetadata => (with_metadata(event, replayed).into(), false),
            Form::Jsonata => {
                let expression = self
                    .program
                    .transformer()
                    .ok_or("the subscriber has no expression")?;
                let expression = expression.as_ref().map_err(Clone::clone)?;
                let output = expression.evaluate(&with_metadata(event, replayed), setting);
                let output = output.map_err(|failure| failure.to_string())?;
                let is_text = output.is_text();
                (output.payload().into(), is_text)
            }
        };
        let parameters = match self.program.parameters().filter(|_| !self.is_whole) {
            None => None,
            Some(template) => {
                let template = template.as_ref().map_err(Clone::clone)?;
                let rendered = template.render(&with_metadata(event, replayed), setting);
                Some(rendered.map_err(|failure| failure.to_string())?)
            }
        };
        Ok(Payload {
            text,
            is_text,
            parameters,
        })
    }

    /// The parameters of the call; `$events` is an array.
    fn whole(&mut self, events: &[(Arc<Event>, bool)]) -> Option<Whole> {
        let setting = self.setting();
        let template = match self.program.parameters()? {
            Ok(template) => template,
            Err(why) => return Some(Whole::Failed(why.clone())),
        };
        let all: Vec<String> = events
            .iter()
            .map(|(event, replayed)| with_metadata(event, *replayed))
            .collect();
        let events = ["[", &all.join(","), "]"].concat();
        let rendered = template.render(&events, &setting);
        Some(rendered.map_or_else(|failure| Whole::Failed(failure.to_string()), Whole::Done))
    }
}

/// The data alone, and whether it is no JSON. Bytes that are text go out as they are, others as base64.
fn raw(event: &Event) -> (Arc<str>, bool) {
    if event.content != ContentType::Bytes {
        return (Arc::clone(&event.data), false);
    }
    let bytes = BASE64.decode(&*event.data).unwrap_or_default();
    let text = String::from_utf8(bytes).map_or_else(|_| Arc::clone(&event.data), Arc::from);
    (text, true)
}

/// The three parts of an event as one object.
fn with_metadata(event: &Event, replayed: bool) -> String {
    let metadata = serde_json::to_string(&event.metadata).unwrap_or_default();
    let system = event.system_metadata(replayed).to_string();
    let parts = [
        "{\"Data\":",
        &event.json(),
        ",\"Metadata\":",
        &metadata,
        ",\"SystemMetadata\":",
        &system,
        "}",
    ];
    parts.concat()
}
