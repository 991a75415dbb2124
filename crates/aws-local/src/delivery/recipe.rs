//! What a target is given of the events of a subscriber's batch: payloads, and the parameters of calls.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use crate::clock::{Dice, Millis};
use crate::jsonata::{Limits, Setting};
use crate::state::custom_bus::{ContentType, Event, Made, Output, Program, Rendered, Subscriber, Whole};

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
    seed: u64,
}

/// The form of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Raw,
    WithMetadata,
    Jsonata,
}

/// What a target is given of one event.
#[derive(Debug)]
pub(in crate::delivery) struct Payload {
    pub(in crate::delivery) text: Arc<str>,
    is_text: bool,
    pub(in crate::delivery) parameters: Option<Value>,
}

impl Payload {
    /// As a part of JSON.
    pub(in crate::delivery) fn json(&self) -> Arc<str> {
        if self.is_text {
            Value::from(&*self.text).to_string().into()
        } else {
            Arc::clone(&self.text)
        }
    }
}

impl Form {
    fn of(subscriber: &Subscriber) -> Self {
        let kind = subscriber
            .transformer
            .as_ref()
            .and_then(|given| given.get("Type"));
        match kind.and_then(Value::as_str) {
            Some("WITH_METADATA") => Self::WithMetadata,
            Some("JSONATA") => Self::Jsonata,
            _ => Self::Raw,
        }
    }
}

/// What a target is given of an event, with what was made of it.
pub(in crate::delivery) fn complete(
    subscriber: &Subscriber,
    event: &Event,
    made: Made,
) -> Result<Payload, String> {
    let (result, parameters) = match made {
        Made::Done { result, parameters } => (result, parameters),
        Made::Failed(why) => return Err(why),
    };
    let (text, is_text) = match (result, Form::of(subscriber)) {
        (Some(output), _) => (output.text, output.is_text),
        (None, Form::Raw) => raw(event),
        (None, Form::WithMetadata) => {
            let replayed = event.number <= subscriber.replayed_to;
            (with_metadata(event, replayed).into(), false)
        }
        (None, Form::Jsonata) => return Err("the transformer was changed meanwhile".to_owned()),
    };
    Ok(Payload {
        text,
        is_text,
        parameters,
    })
}

impl Recipe {
    /// Time stands still, and randomness comes from the seed.
    pub(in crate::delivery) fn new(
        subscriber: &Subscriber,
        is_whole: bool,
        events: Vec<Arc<Event>>,
        now: Millis,
        seed: u64,
    ) -> Self {
        let replayed_to = subscriber.replayed_to;
        let events = events.into_iter().map(|event| {
            let replayed = event.number <= replayed_to;
            (event, replayed)
        });
        Self {
            form: Form::of(subscriber),
            program: subscriber.program.clone(),
            is_whole,
            events: events.collect(),
            now,
            seed,
        }
    }

    /// Makes all that there is room for, at least of one event.
    pub(crate) fn make(&self) -> Rendered {
        let mut dice = Dice::new(self.seed);
        let (mut rendered, mut bytes, mut work) = (Rendered::default(), 0, 0);
        let mut made = 0;
        for (event, replayed) in &self.events {
            if bytes >= BATCH_BYTES_MAX || work >= Limits::default().work_max {
                break;
            }
            let setting = self.setting(&mut dice);
            let one = self.one(event, *replayed, &setting, &mut bytes);
            work += setting.spent.load(Relaxed);
            rendered
                .each
                .insert(event.number, one.unwrap_or_else(Made::Failed));
            made += 1;
        }
        if self.is_whole {
            rendered.whole = self.whole(&self.events[..made], &self.setting(&mut dice));
        }
        rendered
    }

    /// What is said of all events where the evaluator itself failed.
    pub(crate) fn broken(&self) -> Rendered {
        let why = "the local AWS could not evaluate the expression";
        let failed = |(event, _): &(Arc<Event>, bool)| (event.number, Made::Failed(why.to_owned()));
        Rendered {
            each: self.events.iter().map(failed).collect(),
            whole: None,
        }
    }

    fn setting(&self, dice: &mut Dice) -> Setting {
        Setting {
            now: self.now,
            dice: Dice::new(dice.roll()),
            limits: Limits::default(),
            spent: Arc::default(),
        }
    }

    fn one(
        &self,
        event: &Event,
        replayed: bool,
        setting: &Setting,
        bytes: &mut usize,
    ) -> Result<Made, String> {
        let result = if self.form == Form::Jsonata {
            let expression = self
                .program
                .transformer()
                .ok_or("the subscriber has no expression")?;
            let expression = expression.as_ref().map_err(Clone::clone)?;
            let output = expression.evaluate(&with_metadata(event, replayed), setting);
            let output = output.map_err(|failure| failure.to_string())?;
            let is_text = output.is_text();
            let text: Arc<str> = output.payload().into();
            *bytes += text.len();
            Some(Output { text, is_text })
        } else {
            None
        };
        let parameters = match self.program.parameters().filter(|_| !self.is_whole) {
            None => None,
            Some(template) => {
                let template = template.as_ref().map_err(Clone::clone)?;
                let rendered = template.render(&with_metadata(event, replayed), setting);
                let rendered = rendered.map_err(|failure| failure.to_string())?;
                *bytes += rendered.to_string().len();
                Some(rendered)
            }
        };
        Ok(Made::Done { result, parameters })
    }

    /// The parameters of the call; `$events` is an array.
    fn whole(&self, events: &[(Arc<Event>, bool)], setting: &Setting) -> Option<Whole> {
        let template = match self.program.parameters()? {
            Ok(template) => template,
            Err(why) => return Some(Whole::Failed(why.clone())),
        };
        let all: Vec<String> = events
            .iter()
            .map(|(event, replayed)| with_metadata(event, *replayed))
            .collect();
        let rendered = template.render(&["[", &all.join(","), "]"].concat(), setting);
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
