//! What a target is given: the whole event, a part of it, a constant, or a template filled from it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::envelope::Envelope;
use crate::clock::Millis;
use crate::jsontext::{cut, minify, parse_path};
use crate::state::rule::{InputTransformer, Target};

/// The payload for a target.
pub(crate) fn payload(target: &Target, envelope: &Envelope) -> Arc<str> {
    if let Some(input) = &target.input {
        return input.as_str().into();
    }
    if let Some(path) = &target.input_path {
        let part = parse_path(path).and_then(|steps| cut(&envelope.text, &steps));
        return part.unwrap_or("null").into();
    }
    match &target.input_transformer {
        Some(transformer) => fill(transformer, envelope).into(),
        None => Arc::clone(&envelope.text),
    }
}

/// What a transformer for a log group has to make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    timestamp: Value,
    message: Value,
}

/// The time and message for a log group. A transformer must make exactly `{"timestamp": …, "message": …}`.
pub(crate) fn log_event(target: &Target, envelope: &Envelope) -> Result<(Millis, Arc<str>), String> {
    let payload = payload(target, envelope);
    if target.input_transformer.is_none() {
        return Ok((envelope.time, payload));
    }
    let made: Made = serde_json::from_str(&payload)
        .map_err(|e| format!("the input transformer must make {{\"timestamp\", \"message\"}}: {e}"))?;
    let at = match &made.timestamp {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text
            .parse()
            .ok()
            .or_else(|| crate::clock::read_time(&made.timestamp)),
        _ => None,
    };
    let message: Arc<str> = match made.message {
        Value::String(text) => text.into(),
        other => minify(&other.to_string()).into(),
    };
    Ok((
        at.ok_or("the input transformer's timestamp is not a time")?,
        message,
    ))
}

/// Puts the values of the paths, and AWS's own variables, in place of `<name>` in the template.
fn fill(transformer: &InputTransformer, envelope: &Envelope) -> String {
    let template = transformer.input_template.as_str();
    let paths = transformer.input_paths_map.as_ref();
    let value = |name: &str| -> Option<String> {
        if name == "aws.events.event" || name == "aws.events.event.json" {
            return Some(envelope.text.to_string());
        }
        let steps = parse_path(paths?.get(name)?)?;
        Some(cut(&envelope.text, &steps).unwrap_or("null").to_owned())
    };
    let mut out = String::with_capacity(template.len());
    let (mut rest, mut in_string) = (template, false);
    while let Some(open) = rest.find('<') {
        let (before, from) = rest.split_at(open);
        in_string = ends_in_string(before, in_string);
        out.push_str(before);
        let close = from.find('>');
        if let Some((close, text)) = close.and_then(|close| Some((close, value(&from[1..close])?))) {
            out.push_str(&if in_string { inside_string(&text) } else { text });
            rest = &from[close + 1..];
        } else {
            out.push('<');
            rest = &from[1..];
        }
    }
    out.push_str(rest);
    out
}

/// Within quotes a string's own quotes go, and other values appear as escaped text.
fn inside_string(json: &str) -> String {
    if let Some(inner) = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return inner.to_owned();
    }
    let quoted = Value::from(json).to_string();
    quoted[1..quoted.len() - 1].to_owned()
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
