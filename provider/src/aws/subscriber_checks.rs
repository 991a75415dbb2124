//! Checks of the attributes of subscribers of custom event buses. Each says what is wrong in the form "must …", without the
//! attribute's name.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a check of an attribute takes a reference, whatever the type"
)]

use aws_sdk_eventbridgev2::primitives::{DateTime, DateTimeFormat};
use event_pattern::{FilterError, Filters, Scope};

use super::checks::{at_most, within};
use super::{arn, import_id};
use crate::check::{one_of, shortened};

/// The most characters of an expression, and of the arguments of a call.
const EXPRESSION_CHARS_MAX: usize = 8_192;
const INPUT_CHARS_MAX: usize = 262_144;

/// The name of a subscriber.
pub fn name(text: &str) -> Result<(), String> {
    if import_id::is_custom_bus(text) {
        return Ok(());
    }
    Err(format!(
        "must be 1 to 256 letters, digits, `.`, `-` or `_`, the first of them a letter or digit; it is `{}`",
        shortened(text)
    ))
}

/// What a subscriber may deliver to.
pub fn target_arn(text: &str) -> Result<(), String> {
    let Some(arn) = arn::parse(text) else {
        return Err(format!(
            "must be the ARN of what receives the events, such as `arn:aws:sqs:us-east-1:123456789012:NAME`; it is `{}`",
            shortened(text)
        ));
    };
    if arn.service == "logs" {
        let name = arn::log_group_name(text).unwrap_or("NAME");
        return Err(format!(
            "must not be the ARN of a log group: use `log_group = {{ name = \"{name}\" }}` in place of `target_arn`, which writes the call \
             that a log group is reached by"
        ));
    }
    if arn.resource.starts_with("event-bus/aws.partner/") {
        return Err(
            "must not be the event bus of a partner, which takes events of its partner alone".to_owned(),
        );
    }
    Ok(())
}

/// The name of a log stream.
pub fn log_stream(text: &str) -> Result<(), String> {
    const CHARS_MAX: usize = 512;
    if text.is_empty() || text.contains([':', '*']) {
        return Err(format!(
            "must be the name of a log stream, without `:` and `*`; it is `{}`",
            shortened(text)
        ));
    }
    at_most(text, CHARS_MAX)
}

/// Where failure records go.
pub fn dead_letter_arn(text: &str) -> Result<(), String> {
    match arn::parse(text) {
        Some(arn) if arn.service == "sqs" => Ok(()),
        _ => Err(format!(
            "must be the ARN of an SQS queue; it is `{}`",
            shortened(text)
        )),
    }
}

/// The permissions boundary of a role.
pub fn boundary(text: &str) -> Result<(), String> {
    match arn::parse(text) {
        Some(arn) if arn.service == "iam" && arn.resource.starts_with("policy/") => Ok(()),
        _ => Err(format!(
            "must be the ARN of a managed policy, such as `arn:aws:iam::123456789012:policy/NAME`; it is `{}`",
            shortened(text)
        )),
    }
}

/// The arguments of a call.
pub fn input(text: &str) -> Result<(), String> {
    at_most(text, INPUT_CHARS_MAX)?;
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Object(_)) => Ok(()),
        Ok(_) => Err("must be a JSON object: the arguments of the call".to_owned()),
        Err(error) => Err(format!("must be JSON: {error}")),
    }
}

/// The order of the delivery.
pub fn ordering(text: &str) -> Result<(), String> {
    one_of(text, &["UNORDERED", "FIFO"])
}

/// The part of an event that a filter is for.
pub fn scope(text: &str) -> Result<(), String> {
    one_of(text, &Scope::ALL.map(Scope::name))
}

/// The pattern of a filter, whatever its scope. What AWS refuses of it today is a warning of the plan.
pub fn pattern(text: &str) -> Result<(), String> {
    match Filters::compile([(Scope::Data, text)]) {
        Err(FilterError::Pattern(_, error)) => {
            Err(format!("must be an event pattern: {}", error.first_line()))
        }
        _ => Ok(()),
    }
}

/// What is made of an event.
pub fn transformer(text: &str) -> Result<(), String> {
    one_of(text, &["RAW", "WITH_METADATA", "JSONATA"])
}

/// Where a new subscriber begins.
pub fn position(text: &str) -> Result<(), String> {
    one_of(text, &["LATEST", "POINT_IN_TIME"])
}

/// Where a stopped subscriber continues.
pub fn resume(text: &str) -> Result<(), String> {
    one_of(text, &["LAST_PROCESSED", "LATEST"])
}

/// What a point in time is.
pub fn point(text: &str) -> Result<(), String> {
    one_of(text, &["HORIZON", "TIMESTAMP"])
}

/// A time in RFC 3339.
pub fn time(text: &str) -> Result<(), String> {
    parse_time(text).map(drop).ok_or_else(|| {
        let text = shortened(text);
        format!("must be a time in RFC 3339, such as `2026-11-30T12:00:00Z`; it is `{text}`")
    })
}

/// Reads a time in RFC 3339.
pub fn parse_time(text: &str) -> Option<DateTime> {
    DateTime::from_str(text, DateTimeFormat::DateTimeWithOffset).ok()
}

/// How many events are delivered together.
pub fn batch_size(count: &i64) -> Result<(), String> {
    within(*count, 1, 500, "events")
}

/// How long further events are waited for.
pub fn batch_window(seconds: &i64) -> Result<(), String> {
    within(*seconds, 0, 300, "seconds")
}

/// An expression, which AWS reads.
pub fn expression(text: &str) -> Result<(), String> {
    let inner = text.strip_prefix("{%").and_then(|rest| rest.strip_suffix("%}"));
    if inner.is_none() {
        return Err(format!(
            "must be a JSONATA expression within `{{%` and `%}}`, as in `{{% $events.Data.detail %}}`; it is `{}`. In HCL, `%{{` begins a \
             directive, and `{{%` does not; `trimspace` takes off the line break at the end of a heredoc",
            shortened(text)
        ));
    }
    at_most(text, EXPRESSION_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::super::checks::tests::check;
    use super::*;

    #[test]
    fn targets() {
        check(
            target_arn,
            &[
                "arn:aws:sqs:us-east-1:123456789012:q",
                "arn:aws:events:us-east-1:123456789012:event-bus/default",
                "arn:aws:events:::aws-sdk:cloudwatchlogs:putLogEvents",
            ],
            &[
                "q",
                "arn:aws:logs:us-east-1:123456789012:log-group:/a",
                "arn:aws:events:us-east-1:123456789012:event-bus/aws.partner/scalr.com/a/b",
            ],
        );
        check(
            dead_letter_arn,
            &["arn:aws:sqs:us-east-1:123456789012:q.fifo"],
            &["", "arn:aws:sns:us-east-1:123456789012:q"],
        );
    }

    #[test]
    fn boundaries() {
        check(
            boundary,
            &[
                "arn:aws:iam::123456789012:policy/path/limit",
                "arn:aws:iam::aws:policy/PowerUserAccess",
            ],
            &["", "limit", "arn:aws:iam::123456789012:role/limit"],
        );
    }

    #[test]
    fn what_is_sent() {
        check(
            log_stream,
            &["events", "a/b"],
            &["", "a:b", "a*", &"x".repeat(513)],
        );
        check(
            expression,
            &["{% $events %}", "{%1%}"],
            &["", "$events", "{% 1", "{% 1 %}\n", " {% 1 %}"],
        );
        check(input, &["{}", r#"{"A": "{% $events %}"}"#], &["", "[]", "{"]);
        check(transformer, &["RAW", "JSONATA"], &["", "raw"]);
    }

    #[test]
    fn where_it_begins() {
        check(
            time,
            &["2026-11-30T12:00:00Z", "2026-11-30T12:00:00.5+02:00"],
            &["", "2026-11-30", "12:00", "2026-13-30T12:00:00Z"],
        );
        check(position, &["LATEST"], &["HORIZON"]);
        check(point, &["HORIZON"], &["LATEST"]);
        check(resume, &["LAST_PROCESSED"], &["HORIZON"]);
        assert!(batch_size(&500).is_ok() && batch_size(&0).is_err());
        assert!(batch_window(&0).is_ok() && batch_window(&301).is_err());
    }

    #[test]
    fn what_is_received() {
        check(name, &["runs", "9.a-b_C"], &["", "-a", "a/b", &"n".repeat(257)]);
        check(ordering, &["FIFO"], &["STANDARD"]);
        check(scope, &["DATA", "SYSTEM_METADATA"], &["data"]);
        check(
            pattern,
            &[
                r#"{"detail-type":["RunExecuted"]}"#,
                r#"{"a":[{"wildcard":"a*"}]}"#,
            ],
            &["", "{", r#"{"a":"b"}"#, r#"{"a":[{"none":1}]}"#],
        );
    }
}
