//! The payload of a target: the whole event, a part of it, a constant, or a template filled from it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::attempt::Invocation;
use super::miss::Miss;
use crate::clock::{Millis, rfc3339_seconds};
use crate::jsontext::{Step, cut, cut_all, minify, parse_path};
use crate::state::rule::InputTransformer;
use crate::turn::{Picked, Turn};

/// No target takes more, so a transformer's result ends here.
const RESULT_BYTES_MAX: usize = 1024 * 1024;

/// The payload for a target, or why there is none: what it is made of is not made where that would cost too much.
pub(super) fn payload(turn: &mut Turn<'_>, invocation: &Invocation) -> Result<Arc<str>, Miss> {
    if let Some(made) = invocation.payload.get() {
        return made.clone();
    }
    let made = make(turn, invocation);
    invocation.payload.get_or_init(|| made).clone()
}

fn make(turn: &mut Turn<'_>, invocation: &Invocation) -> Result<Arc<str>, Miss> {
    let (target, event) = (&invocation.target, &invocation.envelope.text);
    if let Some(input) = &target.input {
        return Ok(input.as_str().into());
    }
    if let Some(path) = &target.input_path {
        return Ok(pick(turn, event, path)?.unwrap_or_else(|| "null".into()));
    }
    match &target.input_transformer {
        Some(transformer) => Ok(fill(turn, transformer, invocation)?.into()),
        None => Ok(Arc::clone(event)),
    }
}

/// What the output of a transformer for a log group has to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogEntry {
    timestamp: Value,
    message: Value,
}

/// The time and message for a log group. A transformer must make exactly `{"timestamp": …, "message": …}`.
pub(super) fn log_event(turn: &mut Turn<'_>, invocation: &Invocation) -> Result<(Millis, Arc<str>), Miss> {
    let payload = payload(turn, invocation)?;
    if invocation.target.input_transformer.is_none() {
        return Ok((invocation.envelope.time, payload));
    }
    log_entry(&payload).map_err(Miss::BadInput)
}

fn log_entry(payload: &str) -> Result<(Millis, Arc<str>), String> {
    let entry: LogEntry = serde_json::from_str(payload)
        .map_err(|e| format!("the input transformer must make {{\"timestamp\", \"message\"}}: {e}"))?;
    let at = match &entry.timestamp {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text
            .parse()
            .ok()
            .or_else(|| crate::clock::read_time(&entry.timestamp)),
        _ => None,
    };
    let message: Arc<str> = match entry.message {
        Value::String(text) => text.into(),
        other => minify(&other.to_string()).into(),
    };
    Ok((
        at.ok_or("the input transformer's timestamp is not a time")?,
        message,
    ))
}

/// The last part of a rule's ARN.
fn rule_name(rule_arn: &str) -> &str {
    rule_arn.rsplit('/').next().unwrap_or(rule_arn)
}

/// The JSON at a path; all that a path with wildcards meets, as a list. An event is read once for each path, however
/// many targets have it.
fn pick(turn: &mut Turn<'_>, event: &Arc<str>, path: &str) -> Result<Option<Arc<str>>, Miss> {
    if !turn
        .picked
        .event
        .as_ref()
        .is_some_and(|of| Arc::ptr_eq(of, event))
    {
        turn.picked = Picked {
            event: Some(Arc::clone(event)),
            ..Picked::default()
        };
    }
    if let Some(known) = turn.picked.values.get(path) {
        return Ok(known.clone());
    }
    let value = match parse_path(path) {
        Some(steps) => find(turn, event, &steps)?,
        None => None,
    };
    turn.picked.values.insert(path.to_owned(), value.clone());
    Ok(value)
}

fn find(turn: &mut Turn<'_>, event: &str, steps: &[Step]) -> Result<Option<Arc<str>>, Miss> {
    // A wildcard reads what it meets twice: for where it ends, and for what is in it.
    let wildcards = steps.iter().filter(|step| **step == Step::Every).count();
    afford(turn, event.len() / 8 * (1 + wildcards))?;
    let value = value_at(event, steps);
    afford(turn, value.as_ref().map_or(0, |value| value.len() / 4))?;
    Ok(value)
}

/// The JSON at a path; all that a path with wildcards meets, as a list.
pub(super) fn value_at(event: &str, steps: &[Step]) -> Option<Arc<str>> {
    if !steps.contains(&Step::Every) {
        return cut(event, steps).map(Into::into);
    }
    let mut found = Vec::new();
    cut_all(event, steps, &mut found);
    Some(["[", &found.join(","), "]"].concat().into())
}

/// Takes steps of the turn, before what they are for is done.
fn afford(turn: &mut Turn<'_>, steps: usize) -> Result<(), Miss> {
    if turn.take(steps) {
        return Ok(());
    }
    let why = "the deliveries of one request may not cost more: use fewer input paths, or put fewer or smaller events at once";
    Err(Miss::Http("SDK_CLIENT_ERROR", why.to_owned()))
}

/// The JSON of a variable; `None` where the template names none.
fn variable(
    turn: &mut Turn<'_>,
    name: &str,
    transformer: &InputTransformer,
    invocation: &Invocation,
) -> Result<Option<Arc<str>>, Miss> {
    let quoted = |text: &str| -> Arc<str> { Value::from(text).to_string().into() };
    let event = &invocation.envelope.text;
    Ok(Some(match name {
        "aws.events.rule-arn" => quoted(&invocation.rule_arn),
        "aws.events.rule-name" => quoted(rule_name(&invocation.rule_arn)),
        "aws.events.event.ingestion-time" => quoted(&rfc3339_seconds(turn.now)),
        "aws.events.event.json" => Arc::clone(event),
        "aws.events.event" => {
            afford(turn, event.len())?;
            without_detail(event).into()
        }
        name => {
            let Some(path) = transformer
                .input_paths_map
                .as_ref()
                .and_then(|paths| paths.get(name))
            else {
                return Ok(None);
            };
            // A path that the event does not have is an empty string, which within quotes is nothing.
            pick(turn, event, path)?.unwrap_or_else(|| "\"\"".into())
        }
    }))
}

/// The event's frame, in AWS's order and with `detailType` as AWS spells it there.
fn without_detail(event: &str) -> String {
    let members = [
        ("id", "id"),
        ("account", "account"),
        ("detailType", "detail-type"),
        ("time", "time"),
        ("source", "source"),
        ("region", "region"),
        ("resources", "resources"),
        ("version", "version"),
    ];
    let mut out = String::new();
    for (shown, name) in members {
        if let Some(value) = cut(event, &[Step::Key(name.to_owned())]) {
            let _ = write!(
                out,
                "{}\"{shown}\":{value}",
                if out.is_empty() { "" } else { "," }
            );
        }
    }
    format!("{{{out}}}")
}

/// Replaces each `<name>` of the template by the value of its path, or by AWS's own variable; each is looked up once. A
/// template that is an object or a list has to lead to JSON, or the target gets nothing; any other template leads to text.
fn fill(
    turn: &mut Turn<'_>,
    transformer: &InputTransformer,
    invocation: &Invocation,
) -> Result<String, Miss> {
    let template = transformer.input_template.as_str();
    let makes_json = template.trim_start().starts_with(['{', '[']);
    let mut values: HashMap<(&str, bool), Option<Arc<str>>> = HashMap::new();
    let mut out = String::with_capacity(template.len());
    let (mut rest, mut in_string) = (template, false);
    while let Some(open) = rest.find('<') {
        let (before, from) = rest.split_at(open);
        in_string = ends_in_string(before, in_string);
        out.push_str(before);
        let name = from.find('>').map(|close| &from[1..close]);
        let known = name.and_then(|name| values.get(&(name, in_string)));
        let value = match (known, name) {
            (Some(known), _) => known.clone(),
            (None, None) => None,
            (None, Some(name)) => {
                let value = variable(turn, name, transformer, invocation)?;
                let value = value.map(|json| match in_string {
                    true if makes_json => unquoted(&json).into(),
                    true => inside_string(&json).into(),
                    false => json,
                });
                values.insert((name, in_string), value.clone());
                value
            }
        };
        if let Some((name, value)) = name.zip(value) {
            if out.len() + value.len() > RESULT_BYTES_MAX {
                return Err(too_long());
            }
            out.push_str(&value);
            rest = &from[name.len() + 2..];
        } else {
            out.push('<');
            rest = &from[1..];
        }
    }
    out.push_str(rest);
    if out.len() > RESULT_BYTES_MAX {
        return Err(too_long());
    }
    afford(turn, out.len() / 4)?;
    // A result that is JSON is minified; other text stays as it is.
    match serde_json::from_str::<serde::de::IgnoredAny>(&out) {
        Ok(_) => Ok(minify(&out)),
        Err(_) if !makes_json => Ok(out),
        Err(error) => Err(Miss::BadInput(format!(
            "the input transformer's result is no JSON, as with an object or a list within quotes: {error}"
        ))),
    }
}

fn too_long() -> Miss {
    let why = format!(
        "the input transformer's result is longer than {RESULT_BYTES_MAX} bytes, which no target takes"
    );
    Miss::Http("SDK_CLIENT_ERROR", why)
}

/// Within quotes a string loses its own quotes.
fn unquoted(json: &str) -> &str {
    json.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(json)
}

/// Within a template that is one text, an object or a list loses the quotes in it, too.
fn inside_string(json: &str) -> String {
    match unquoted(json) {
        inner if inner.len() < json.len() => inner.to_owned(),
        whole => whole.replace("\\\"", "").replace('"', ""),
    }
}

fn ends_in_string(text: &str, mut inside: bool) -> bool {
    let mut escaped = false;
    for c in text.chars() {
        match c {
            '"' if !escaped => inside = !inside,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    inside
}
