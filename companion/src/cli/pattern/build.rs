//! `pattern build`: a pattern from a type and filters.

use std::process::ExitCode;

use scalr_events::catalogue::{self, Kind};
use scalr_events::{ANY_OF, EventType, event_pattern};
use serde_json::{Map, Value, json};

use super::{Failure, event_type, fields, out};

const EXAMPLES: &str = "Examples:
  scalr-eventbridge pattern build run-executed --filter result=errored --filter result=canceled
  scalr-eventbridge pattern build run-executed --filter 'workspace={\"prefix\": \"prod-\"}' > pattern.json
  scalr-eventbridge pattern build run-executed --any-of '{\"result\": \"errored\"}' --any-of '{\"is_destroy\": true}'

Exit codes:
  0  the pattern is printed
  2  a filter or an argument is not valid";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// Type of the events: `run-executed` or `audit-log`.
    #[arg(value_name = "TYPE", value_parser = event_type)]
    event_type: EventType,
    /// A filter by its name or path: a value, or a matcher of EventBridge's as JSON. Repeated for a name, any of its values may match.
    #[arg(long = "filter", value_name = "KEY=VALUE")]
    filters: Vec<String>,
    /// An alternative, as a JSON object of filters; of those that are named, one must pass.
    #[arg(long = "any-of", value_name = "JSON")]
    any_of: Vec<String>,
    /// Print the pattern on one line: EventBridge counts blanks as part of a pattern's length.
    #[arg(long)]
    compact: bool,
}

pub(super) fn main(args: &Args) -> Result<ExitCode, Failure> {
    let filters = filters(args.event_type, &args.filters, &args.any_of)?;
    let pattern = event_pattern(args.event_type.as_str(), &filters)
        .map_err(|error| Failure::Invalid(error.to_string()))?;
    out::line(&if args.compact {
        pattern.to_string()
    } else {
        format!("{pattern:#}")
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The filters as the function `event_pattern` of the provider takes them.
fn filters(event_type: EventType, pairs: &[String], any_of: &[String]) -> Result<Value, Failure> {
    let mut filters = Map::new();
    for pair in pairs {
        let (name, text) = fields::split(pair)?;
        let values = filters.entry(name).or_insert_with(|| json!([]));
        let value = value(event_type, name, text)?;
        if let Some(values) = values.as_array_mut() {
            match value {
                Value::Array(several) => values.extend(several),
                single => values.push(single),
            }
        }
    }
    let choices: Vec<Value> = any_of
        .iter()
        .map(|text| match of_json(text)? {
            object @ Value::Object(_) => Ok(object),
            _ => Err(Failure::Invalid(format!(
                "`{text}` (`--any-of`) is no JSON object: write filters such as `{{\"result\": \"errored\"}}`, and repeat the option for each \
                 alternative"
            ))),
        })
        .collect::<Result<_, _>>()?;
    if !choices.is_empty() {
        filters.insert(ANY_OF.to_owned(), Value::Array(choices));
    }
    Ok(Value::Object(filters))
}

/// A matcher or list is JSON; of the rest the field says whether it is.
fn value(event_type: EventType, name: &str, text: &str) -> Result<Value, Failure> {
    if text.starts_with(['{', '[']) {
        return of_json(text);
    }
    let kind = catalogue::find(event_type, name).map(|field| field.kind);
    Ok(match kind {
        Some(Kind::Bool | Kind::Number) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        _ => json!(text),
    })
}

fn of_json(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::Invalid(format!("`{text}` is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pairs: &[&str], any_of: &[&str], want: &Value) {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let found = filters(EventType::RunExecuted, &owned(pairs), &owned(any_of));
        assert_eq!(&found.unwrap(), want);
    }

    #[test]
    fn pairs_become_filters() {
        check(&[], &[], &json!({}));
        check(
            &["result=errored", "result=canceled", "is_dry=false"],
            &[],
            &json!({ "result": ["errored", "canceled"], "is_dry": [false] }),
        );
        check(
            &[
                r#"workspace={"prefix": "prod-"}"#,
                r#"workspace=["a", "b=c"]"#,
                "is-destroy=yes",
            ],
            &[r#"{"result": "errored"}"#, r#"{"is_agent": true}"#],
            &json!({
                "workspace": [{ "prefix": "prod-" }, "a", "b=c"],
                "is-destroy": ["yes"],
                "any_of": [{ "result": "errored" }, { "is_agent": true }],
            }),
        );
    }

    #[test]
    fn what_is_no_json_says_where() {
        let found = filters(EventType::RunExecuted, &["workspace={\"prefix\"".to_owned()], &[]);
        match found {
            Err(Failure::Invalid(text)) => assert!(text.contains("line 1 column 9"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}
