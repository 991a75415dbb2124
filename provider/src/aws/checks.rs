//! Checks of AWS-side attributes. Each says what is wrong in the form "must …", without the attribute's name.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a check of an attribute takes a reference, whatever the type"
)]

use std::collections::{BTreeMap, BTreeSet};

use super::tags::{OURS, Written};
use super::{arn, import_id};
use crate::check::{self, one_of, shortened};

pub(super) fn at_most(text: &str, chars_max: usize) -> Result<(), String> {
    match text.chars().count() {
        count if count > chars_max => Err(format!(
            "must have at most {chars_max} characters; it has {count}"
        )),
        _ => Ok(()),
    }
}

/// The name of an event source of Scalr's, or of another partner.
pub fn event_source(text: &str) -> Result<(), String> {
    let parts = text.split('/').count();
    if text.starts_with("aws.partner/") && parts >= 3 && import_id::is_bus(text) {
        return Ok(());
    }
    Err(format!(
        "must be the name of a partner event source, such as `aws.partner/scalr.com/ACCOUNT/NAME`: the connection's \
         `event_source_name`; it is `{}`",
        shortened(text)
    ))
}

/// The state of a partner event source.
pub fn source_state(text: &str) -> Result<(), String> {
    one_of(text, &["PENDING", "ACTIVE", "DELETED"])
}

/// The beginning of the names of Scalr's event sources, which their buses have too.
pub fn source_prefix(text: &str) -> Result<(), String> {
    if text.starts_with(check::SOURCE_PREFIX) {
        return Ok(());
    }
    Err(format!(
        "must begin with `{}`, as the names of Scalr's event sources and of their buses do; it is `{}`",
        check::SOURCE_PREFIX,
        shortened(text)
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
                "must be the name of an event bus (letters, digits, `.`, `-`, `_`, and `/` between parts; 256 at most); it is `{}`",
                shortened(text)
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
        "must be 1 to 64 letters, digits, `.`, `-` or `_`; it is `{}`",
        shortened(text)
    ))
}

/// The beginning of a rule's name.
pub fn name_prefix(text: &str) -> Result<(), String> {
    if import_id::is_name(text) && text.len() <= 38 {
        return Ok(());
    }
    Err(format!(
        "must be 1 to 38 letters, digits, `.`, `-` or `_`, as 26 more are added; it is `{}`",
        shortened(text)
    ))
}

/// A description.
pub fn description(text: &str) -> Result<(), String> {
    at_most(text, 512)
}

/// An ARN.
pub fn any_arn(text: &str) -> Result<(), String> {
    arn::parse(text).map(drop).ok_or_else(|| {
        let text = shortened(text);
        format!("must be an ARN, such as `arn:aws:sqs:us-east-1:123456789012:NAME`; it is `{text}`")
    })
}

/// The ARN of a queue: what dead-letter queues must be.
pub fn queue_arn(text: &str) -> Result<(), String> {
    match arn::parse(text) {
        Some(arn) if arn.service == "sqs" && !is_fifo(arn.resource) => Ok(()),
        Some(arn) if arn.service == "sqs" => Err(
            "must be the ARN of a standard queue; EventBridge takes no FIFO queue for dead letters"
                .to_owned(),
        ),
        _ => Err(format!(
            "must be the ARN of an SQS queue; it is `{}`",
            shortened(text)
        )),
    }
}

/// The name of a FIFO queue.
pub(super) fn is_fifo(queue: &str) -> bool {
    queue.rsplit_once('.').is_some_and(|(_, end)| end == "fifo")
}

/// The ARN of a KMS key, which CloudWatch Logs takes in no other form.
pub fn key_arn(text: &str) -> Result<(), String> {
    let of_kms = arn::parse(text).filter(|arn| arn.service == "kms");
    if of_kms.is_some_and(|arn| arn.resource.starts_with("key/")) {
        return at_most(text, 256);
    }
    Err(format!(
        "must be the ARN of a KMS key, such as `arn:aws:kms:us-east-1:123456789012:key/ID`; it is `{}`",
        shortened(text)
    ))
}

/// A JSON path into an event: AWS asks for dots, and for brackets round places in lists alone.
pub fn json_path(text: &str) -> Result<(), String> {
    let is_place = |place: &str| place == "*" || place.parse::<u32>().is_ok();
    let is_step = |step: &str| {
        let (key, places) = step.split_at(step.find('[').unwrap_or(step.len()));
        let whole = places.is_empty() || places.ends_with(']');
        let mut places = places.split_terminator(']');
        whole && !key.is_empty() && places.all(|place| place.strip_prefix('[').is_some_and(is_place))
    };
    let steps = text
        .strip_prefix('$')
        .filter(|rest| rest.is_empty() || rest.starts_with('.'));
    if !steps.is_some_and(|steps| steps.split('.').skip(1).all(is_step)) {
        return Err(format!(
            "must be a JSON path, which begins with `$` and has dots, such as `$.detail.run.id` or `$.resources[0]`; it is \
             `{}`",
            shortened(text)
        ));
    }
    at_most(text, 256)
}

/// Constant text for a target.
pub fn input(text: &str) -> Result<(), String> {
    at_most(text, 8_192)
}

/// A template for what a target gets.
pub fn input_template(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    at_most(text, 8_192)
}

/// JSON paths by the names that a template uses.
pub fn input_paths(paths: &BTreeMap<String, String>) -> Result<(), String> {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if paths.len() > 100 {
        return Err(format!("must have at most 100 entries; it has {}", paths.len()));
    }
    for (name, path) in paths {
        if !(1..=256).contains(&name.len()) || !name.bytes().all(letter) {
            return Err(format!(
                "must have names of 1 to 256 letters, digits, `_` or `-`; one is `{}`",
                shortened(name)
            ));
        }
        if name.starts_with("AWS") {
            return Err(format!(
                "must have names that do not begin with `AWS`, which are AWS's own; one is `{}`",
                shortened(name)
            ));
        }
        json_path(path).map_err(|why| format!("has `{}`, which {why}", shortened(name)))?;
    }
    Ok(())
}

/// Tags of a resource.
pub fn tags(tags: &Written) -> Result<(), String> {
    for (key, value) in tags {
        let shown = shortened(key);
        match key.chars().count() {
            0 => return Err("must have no empty key".to_owned()),
            1..=128 => {}
            count => {
                return Err(format!(
                    "must have keys of at most 128 characters; `{shown}` has {count}"
                ));
            }
        }
        if key
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
        {
            return Err(format!(
                "must have no key that begins with `aws:`, which AWS reserves; one is `{shown}`"
            ));
        }
        if key.starts_with(OURS) {
            return Err(format!(
                "must have no key that begins with `{OURS}`, which this provider gives a meaning of its own; one is `{shown}`"
            ));
        }
        let value = value.as_deref().unwrap_or_default();
        at_most(value, 256).map_err(|why| format!("has `{shown}`, which {why}"))?;
    }
    Ok(())
}

/// The name of a session of an assumed role.
pub fn session_name(text: &str) -> Result<(), String> {
    of_letters(text, 64, "=,.@-+_")
}

/// What the trust policy of a role asks for.
pub fn external_id(text: &str) -> Result<(), String> {
    of_letters(text, 1_224, "=,.@-+_:/")
}

fn of_letters(text: &str, chars_max: usize, more: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
    if (2..=chars_max).contains(&text.len()) && text.chars().all(legal) {
        return Ok(());
    }
    let more: Vec<String> = more.chars().map(|c| format!("`{c}`")).collect();
    Err(format!(
        "must be 2 to {chars_max} letters, digits or {}; it is `{}`",
        more.join(", "),
        shortened(text)
    ))
}

/// AWS accounts.
pub fn account_ids(ids: &BTreeSet<String>) -> Result<(), String> {
    let mut judged = ids.iter().map(|id| (id, check::aws_account_id(id)));
    judged
        .find_map(|(id, judged)| Some(format!("has `{}`, which {}", shortened(id), judged.err()?)))
        .map_or(Ok(()), Err)
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
            "must be the name of a log group (letters, digits, `_`, `-`, `/`, `.`, `#`; 512 at most); it is `{}`",
            shortened(text)
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
        "must be one of the numbers of days that CloudWatch Logs knows ({all}), or be left out to keep events forever; \
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

pub(super) fn within(value: i64, low: i64, high: i64, unit: &str) -> Result<(), String> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(format!("must be from {low} to {high} {unit}; it is {value}"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The sentences are in the snapshot of all messages.
    #[track_caller]
    pub(in crate::aws) fn check(judge: fn(&str) -> Result<(), String>, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(judge(text), Ok(()));
        }
        for text in bad {
            assert!(judge(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys() {
        let key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        check(
            key_arn,
            &[key],
            &["", "alias/mine", "arn:aws:kms:us-east-1:123456789012:alias/mine"],
        );
    }

    #[test]
    fn names() {
        check(
            event_source,
            &["aws.partner/scalr.com/a/b"],
            &["scalr.com/a", "aws.partner/x"],
        );
        check(
            bus,
            &["aws.partner/scalr.com/a/b", "x"],
            &["arn:aws:events:r:1:event-bus/a/b", "a b"],
        );
        check(name, &["a.b-c_d"], &["", "a/b"]);
        check(
            name_prefix,
            &["scalr-"],
            &["0123456789012345678901234567890123456789"],
        );
        check(
            log_group,
            &["/aws/events/x#1"],
            &["arn:aws:logs:r:1:log-group:/x:*", "a b"],
        );
    }

    #[test]
    fn arns() {
        check(any_arn, &["arn:aws:sqs:r:1:q"], &["q"]);
        check(
            queue_arn,
            &["arn:aws:sqs:r:1:q"],
            &["arn:aws:sqs:r:1:q.fifo", "arn:aws:sns:r:1:t"],
        );
    }

    #[test]
    fn long_texts_are_cut() {
        let said = any_arn(&"x".repeat(5_000)).expect_err("no ARN");
        assert!(said.len() < 300, "{said}");
        assert!(description(&"é".repeat(512)).is_ok() && description(&"é".repeat(513)).is_err());
    }

    #[test]
    fn what_targets_get() {
        check(
            json_path,
            &[
                "$",
                "$.detail.id",
                "$.resources[0]",
                "$.detail.runs[*].id",
                "$.a[0][1]",
                "$.detail.run-id",
            ],
            &[
                "detail",
                "",
                "$detail",
                "$.a..b",
                "$.",
                "$.a[",
                "$.a[0",
                "$.a[x]",
                "$['detail']",
            ],
        );
        check(input_template, &["x"], &["", &"x".repeat(8_193)]);
        for (name, path, legal) in [
            ("run-id_1", "$.detail", true),
            ("b c", "$", false),
            ("", "$", false),
            ("AWSx", "$", false),
            ("x", "detail", false),
        ] {
            let paths = BTreeMap::from([(name.to_owned(), path.to_owned())]);
            assert_eq!(input_paths(&paths).is_ok(), legal, "{name} {path}");
        }
    }

    #[test]
    fn tags_are_judged_by_key_and_value() {
        for (key, value, legal) in [
            ("a b/é", Some(""), true),
            ("n", None, true),
            ("", Some("x"), false),
            ("aws:x", Some("x"), false),
            ("AWS:x", Some("x"), false),
            ("scalr-eventbridge:x", Some("x"), false),
            ("scalr-eventbridge", Some("x"), true),
            (&*"k".repeat(129), Some("x"), false),
            ("k", Some(&*"v".repeat(257)), false),
        ] {
            let written = Written::from([(key.to_owned(), value.map(str::to_owned))]);
            assert_eq!(tags(&written).is_ok(), legal, "{key}");
        }
    }

    #[test]
    fn assumed_roles_and_accounts() {
        check(session_name, &["ci@scalr", "a+b=c,d.e-f_1"], &["a", "a b"]);
        check(external_id, &["scalr:prod/1"], &["x", "a b"]);
        for (id, legal) in [("210987654321", true), ("prod", false)] {
            let ids = BTreeSet::from(["123456789012".to_owned(), id.to_owned()]);
            assert_eq!(account_ids(&ids).is_ok(), legal, "{id}");
        }
    }

    #[test]
    fn numbers() {
        assert!(retention(&30).is_ok() && retention(&31).is_err());
        assert!(event_age(&59).is_err() && event_age(&86_400).is_ok());
        assert!(retry_attempts(&186).is_err() && retry_attempts(&0).is_ok());
    }
}
