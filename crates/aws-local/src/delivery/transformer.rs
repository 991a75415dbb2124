//! The payload of a target: the whole event, a part of it, a constant, or a template filled from it.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::attempt::Invocation;
use super::miss::Miss;
use crate::clock::{Millis, rfc3339_seconds};
use crate::jsontext::{Step, cut, cut_all, minify, parse_path};
use crate::state::rule::InputTransformer;

/// The payload for a target, if there is one. `now` is when the event came in.
pub(super) fn payload(invocation: &Invocation, now: Millis) -> Result<Arc<str>, Miss> {
    let (target, event) = (&invocation.target, &invocation.envelope.text);
    if let Some(input) = &target.input {
        return Ok(input.as_str().into());
    }
    if let Some(path) = &target.input_path {
        return Ok(pick(event, path).unwrap_or_else(|| "null".to_owned()).into());
    }
    match &target.input_transformer {
        Some(transformer) => fill(transformer, invocation, now).map(Into::into),
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
pub(super) fn log_event(invocation: &Invocation, now: Millis) -> Result<(Millis, Arc<str>), Miss> {
    let payload = payload(invocation, now)?;
    if invocation.target.input_transformer.is_none() {
        return Ok((invocation.envelope.time, payload));
    }
    let entry: LogEntry = serde_json::from_str(&payload).map_err(|e| {
        Miss::BadInput(format!(
            "the input transformer must make {{\"timestamp\", \"message\"}}: {e}"
        ))
    })?;
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
        at.ok_or_else(|| Miss::BadInput("the input transformer's timestamp is not a time".to_owned()))?,
        message,
    ))
}

/// The last part of a rule's ARN.
fn rule_name(rule_arn: &str) -> &str {
    rule_arn.rsplit('/').next().unwrap_or(rule_arn)
}

/// The JSON at a path; all that a path with wildcards meets, as a list.
pub(super) fn pick(event: &str, path: &str) -> Option<String> {
    let steps = parse_path(path)?;
    if !steps.contains(&Step::Every) {
        return cut(event, &steps).map(str::to_owned);
    }
    let mut found = Vec::new();
    cut_all(event, &steps, &mut found);
    Some(format!("[{}]", found.join(",")))
}

/// The JSON of a variable; `None` where the template names none.
fn variable(
    name: &str,
    transformer: &InputTransformer,
    invocation: &Invocation,
    now: Millis,
) -> Option<String> {
    let quoted = |text: &str| Value::from(text).to_string();
    let event = &invocation.envelope.text;
    Some(match name {
        "aws.events.rule-arn" => quoted(&invocation.rule_arn),
        "aws.events.rule-name" => quoted(rule_name(&invocation.rule_arn)),
        "aws.events.event.ingestion-time" => quoted(&rfc3339_seconds(now)),
        "aws.events.event.json" => event.to_string(),
        "aws.events.event" => without_detail(event),
        name => {
            let path = transformer.input_paths_map.as_ref()?.get(name)?;
            // A path that the event does not have is an empty string, which within quotes is nothing.
            pick(event, path).unwrap_or_else(|| "\"\"".to_owned())
        }
    })
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

/// Replaces each `<name>` of the template by the value of its path, or by AWS's own variable. A template that is an object or
/// a list has to lead to JSON, or the target gets nothing; any other template leads to text.
fn fill(transformer: &InputTransformer, invocation: &Invocation, now: Millis) -> Result<String, Miss> {
    let template = transformer.input_template.as_str();
    let makes_json = template.trim_start().starts_with(['{', '[']);
    let value = |name: &str| variable(name, transformer, invocation, now);
    let mut out = String::with_capacity(template.len());
    let (mut rest, mut in_string) = (template, false);
    while let Some(open) = rest.find('<') {
        let (before, from) = rest.split_at(open);
        in_string = ends_in_string(before, in_string);
        out.push_str(before);
        let close = from.find('>');
        if let Some((close, text)) = close.and_then(|close| Some((close, value(&from[1..close])?))) {
            match in_string {
                true if makes_json => out.push_str(unquoted(&text)),
                true => out.push_str(&inside_string(&text)),
                false => out.push_str(&text),
            }
            rest = &from[close + 1..];
        } else {
            out.push('<');
            rest = &from[1..];
        }
    }
    out.push_str(rest);
    // A result that is JSON is minified; other text stays as it is.
    match serde_json::from_str::<serde::de::IgnoredAny>(&out) {
        Ok(_) => Ok(minify(&out)),
        Err(_) if !makes_json => Ok(out),
        Err(error) => Err(Miss::BadInput(format!(
            "the input transformer's result is no JSON, as with an object or a list within quotes: {error}"
        ))),
    }
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
