//! Checks of AWS-side attributes. Each says what is wrong in the form "must …", without the attribute's name.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a check of an attribute takes a reference, whatever the type"
)]

use super::{arn, import_id};

/// The name of an event source of Scalr's, or of another partner.
pub fn event_source(text: &str) -> Result<(), String> {
    let parts = text.split('/').count();
    if text.starts_with("aws.partner/") && parts >= 3 && import_id::is_bus(text) {
        return Ok(());
    }
    Err(format!(
        "must be the name of a partner event source, such as `aws.partner/scalr.com/ACCOUNT/NAME`: the connection's \
         `event_source_name`; it is `{text}`"
    ))
}

/// The name of a bus, which is not its ARN.
pub fn bus(text: &str) -> Result<(), String> {
    if import_id::is_bus(text) {
        return Ok(());
    }
    Err(
        match arn::parse(text).and_then(|arn| arn.resource.strip_prefix("event-bus/")) {
            Some(name) => format!("must be the name of an event bus and not its ARN: `{name}`"),
            None => format!(
                "must be the name of an event bus (letters, digits, `.`, `-`, `_`, and `/` between parts; 256 at most); it is `{text}`"
            ),
        },
    )
}

/// The name of a rule or the id of a target.
pub fn name(text: &str) -> Result<(), String> {
    if import_id::is_name(text) {
        return Ok(());
    }
    Err(format!(
        "must be 1 to 64 letters, digits, `.`, `-` or `_`; it is `{text}`"
    ))
}

/// The beginning of a rule's name.
pub fn name_prefix(text: &str) -> Result<(), String> {
    if import_id::is_name(text) && text.len() <= 38 {
        return Ok(());
    }
    Err(format!(
        "must be 1 to 38 letters, digits, `.`, `-` or `_`, as 26 more are added; it is `{text}`"
    ))
}

/// A description.
pub fn description(text: &str) -> Result<(), String> {
    if text.chars().count() <= 512 {
        return Ok(());
    }
    Err("must have at most 512 characters".to_owned())
}

/// An ARN.
pub fn any_arn(text: &str) -> Result<(), String> {
    arn::parse(text).map(drop).ok_or_else(|| {
        format!("must be an ARN, such as `arn:aws:sqs:us-east-1:123456789012:NAME`; it is `{text}`")
    })
}

/// The ARN of a queue: what dead-letter queues must be.
pub fn queue_arn(text: &str) -> Result<(), String> {
    let is_fifo = |queue: &str| queue.rsplit_once('.').is_some_and(|(_, end)| end == "fifo");
    match arn::parse(text) {
        Some(arn) if arn.service == "sqs" && !is_fifo(arn.resource) => Ok(()),
        Some(arn) if arn.service == "sqs" => Err(
            "must be the ARN of a standard queue; EventBridge takes no FIFO queue for dead letters"
                .to_owned(),
        ),
        _ => Err(format!("must be the ARN of an SQS queue; it is `{text}`")),
    }
}

/// The name of a log group.
pub fn log_group(text: &str) -> Result<(), String> {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/' | b'.' | b'#');
    if (1..=512).contains(&text.len()) && text.bytes().all(letter) {
        return Ok(());
    }
    Err(match arn::log_group_name(text) {
        Some(name) => format!("must be the name of a log group and not its ARN: `{name}`"),
        None => format!(
            "must be the name of a log group (letters, digits, `_`, `-`, `/`, `.`, `#`; 512 at most); it is `{text}`"
        ),
    })
}

/// Days that CloudWatch Logs can keep events for.
pub fn retention(days: &i64) -> Result<(), String> {
    const DAYS: [i64; 22] = [
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
        3653,
    ];
    if DAYS.contains(days) {
        return Ok(());
    }
    let near = DAYS
        .iter()
        .min_by_key(|known| known.abs_diff(*days))
        .copied()
        .unwrap_or(30);
    let all = DAYS.map(|known| known.to_string()).join(", ");
    Err(format!(
        "must be one of the numbers of days that CloudWatch Logs knows ({all}), or be left out to keep events for ever; \
         {near} is nearest to {days}"
    ))
}

/// Seconds that EventBridge keeps an event for.
pub fn event_age(seconds: &i64) -> Result<(), String> {
    within(*seconds, 60, 86_400, "seconds")
}

/// How often EventBridge tries again.
pub fn retry_attempts(count: &i64) -> Result<(), String> {
    within(*count, 0, 185, "attempts")
}

/// How much of an event a bus's log shows.
pub fn log_detail(text: &str) -> Result<(), String> {
    one_of(text, &["NONE", "FULL"])
}

/// What a bus logs.
pub fn log_level(text: &str) -> Result<(), String> {
    one_of(text, &["OFF", "ERROR", "INFO", "TRACE"])
}

fn within(value: i64, low: i64, high: i64, unit: &str) -> Result<(), String> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(format!("must be from {low} to {high} {unit}; it is {value}"))
    }
}

fn one_of(text: &str, all: &[&str]) -> Result<(), String> {
    if all.contains(&text) {
        return Ok(());
    }
    let all: Vec<String> = all.iter().map(|one| format!("`{one}`")).collect();
    Err(format!("must be one of {}; it is `{text}`", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(judge: fn(&str) -> Result<(), String>, good: &[&str], bad: &[(&str, &str)]) {
        for text in good {
            assert_eq!(judge(text), Ok(()));
        }
        for (text, why) in bad {
            let said = judge(text).expect_err(text);
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn names() {
        check(
            event_source,
            &["aws.partner/scalr.com/a/b"],
            &[("scalr.com/a", "aws.partner"), ("aws.partner/x", "ACCOUNT")],
        );
        check(
            bus,
            &["aws.partner/scalr.com/a/b", "x"],
            &[("arn:aws:events:r:1:event-bus/a/b", "`a/b`"), ("a b", "letters")],
        );
        check(name, &["a.b-c_d"], &[("", "1 to 64"), ("a/b", "1 to 64")]);
        check(
            name_prefix,
            &["scalr-"],
            &[("0123456789012345678901234567890123456789", "38")],
        );
        check(
            log_group,
            &["/aws/events/x#1"],
            &[("arn:aws:logs:r:1:log-group:/x:*", "`/x`"), ("a b", "letters")],
        );
    }

    #[test]
    fn arns() {
        check(any_arn, &["arn:aws:sqs:r:1:q"], &[("q", "ARN")]);
        check(
            queue_arn,
            &["arn:aws:sqs:r:1:q"],
            &[("arn:aws:sqs:r:1:q.fifo", "FIFO"), ("arn:aws:sns:r:1:t", "SQS")],
        );
    }

    #[test]
    fn numbers() {
        assert_eq!(retention(&30), Ok(()));
        assert!(retention(&31).expect_err("31").contains("30 is nearest"));
        assert!(event_age(&59).is_err() && event_age(&86_400).is_ok());
        assert!(retry_attempts(&186).is_err() && retry_attempts(&0).is_ok());
    }
}
