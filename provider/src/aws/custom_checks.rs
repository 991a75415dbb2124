//! Checks of the attributes of custom event buses. Each says what is wrong in the form "must …", without the attribute's name.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a check of an attribute takes a reference, whatever the type"
)]

use event_pattern::Pattern;

use super::checks::{self, at_most, within};
use super::tags::Written;
use super::{arn, import_id};
use crate::check::shortened;

/// The name of a custom event bus.
pub fn bus_name(text: &str) -> Result<(), String> {
    if import_id::is_custom_bus(text) {
        return Ok(());
    }
    Err(match arn::custom_bus_name(text) {
        Some(name) => format!("must be the name of a custom event bus and not its ARN: `{name}`"),
        None => format!(
            "must be 1 to 256 letters, digits, `.`, `-` or `_`, the first of them a letter or digit; unlike the name of a Classic \
             bus, it has no `/`; it is `{}`",
            shortened(text)
        ),
    })
}

/// The ARN of a custom event bus.
pub fn bus_arn(text: &str) -> Result<(), String> {
    if arn::custom_bus_name(text).is_some() {
        return Ok(());
    }
    let is_classic = arn::parse(text).is_some_and(|arn| arn.resource.starts_with("event-bus/"));
    Err(if is_classic {
        "must be the ARN of a custom event bus, the `arn` of a `scalr_eventbridge_custom_bus`; it is that of a Classic one".to_owned()
    } else {
        format!(
            "must be the ARN of a custom event bus, the `arn` of a `scalr_eventbridge_custom_bus`; it is `{}`",
            shortened(text)
        )
    })
}

/// The name of an event source.
pub fn source_name(text: &str) -> Result<(), String> {
    if import_id::is_custom_bus(text) && !text.starts_with("aws.") {
        return Ok(());
    }
    Err(format!(
        "must be 1 to 256 letters, digits, `.`, `-` or `_`, the first of them a letter or digit, and must not begin with `aws.`; it is \
         `{}`",
        shortened(text)
    ))
}

/// The ARN of a partner's event source.
pub fn partner_source_arn(text: &str) -> Result<(), String> {
    if arn::event_source_name(text).is_some_and(import_id::is_bus) {
        return Ok(());
    }
    Err(format!(
        "must be the ARN of a partner's event source, `event_source_arn` of a `scalr_eventbridge_connection`; it is `{}`",
        shortened(text)
    ))
}

/// The pattern of an event source.
pub fn source_pattern(text: &str) -> Result<(), String> {
    const CHARS_MAX: usize = 3_753;
    const RESERVED: [&str; 3] = ["source", "account", "region"];
    at_most(text, CHARS_MAX)?;
    Pattern::compile_for_eventbridge(text)
        .map_err(|error| format!("must be an event pattern: {}", error.first_line()))?;
    let fields: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    match RESERVED.into_iter().find(|name| fields.get(name).is_some()) {
        None => Ok(()),
        Some(name) => Err(format!(
            "must not have `{name}` at its top, which AWS refuses in the pattern of an event source: all events are of one. Leave it out, as \
             in `jsonencode({{ for key, value in jsondecode(provider::scalr::event_pattern(TYPE, {{}})) : key => value if key != \"{name}\" \
             }})`"
        )),
    }
}

/// Days for which a custom event bus keeps events.
pub fn retention(days: &i64) -> Result<(), String> {
    within(*days, 1, 365, "days")
}

/// A description: one line.
pub fn description(text: &str) -> Result<(), String> {
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if text.contains(is_break) {
        return Err(
            "must be one line: AWS takes no line breaks, tabs or other control characters".to_owned(),
        );
    }
    at_most(text, 512)
}

/// Tags of what belongs to a custom event bus.
pub fn tags(tags: &Written) -> Result<(), String> {
    checks::tags(tags)?;
    let texts = tags.iter().flat_map(|(key, value)| [Some(key), value.as_ref()]);
    match texts.flatten().find(|text| text.trim() != **text) {
        None => Ok(()),
        Some(text) => Err(format!(
            "must have no key or value that begins or ends with a blank, which AWS refuses here; one is `{}`",
            shortened(text)
        )),
    }
}

/// A KMS key: an ARN, an id, or an alias.
pub fn key(text: &str) -> Result<(), String> {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/' | b':');
    if !text.bytes().all(is_letter) {
        return Err(format!(
            "must be the ARN, the id or the alias (`alias/NAME`) of a KMS key; it is `{}`",
            shortened(text)
        ));
    }
    at_most(text, 2_048)
}

#[cfg(test)]
mod tests {
    use super::super::checks::tests::check;
    use super::*;

    const ARN: &str = "arn:aws:events:us-east-1:123456789012:event-busv2/scalr/abcdefghij0123456789abcde";

    #[test]
    fn names() {
        let long = "n".repeat(256);
        check(
            bus_name,
            &["scalr", "9", "a.b-c_D", &long],
            &[
                "",
                "-a",
                ".a",
                "a/b",
                "a b",
                "aws.partner/scalr.com/a/b",
                ARN,
                &format!("{long}n"),
            ],
        );
    }

    #[test]
    fn sources() {
        check(source_name, &["scalr", "aws"], &["", "aws.scalr", "a/b"]);
        check(
            bus_arn,
            &[ARN],
            &["scalr", "arn:aws:events:us-east-1:123456789012:event-bus/scalr"],
        );
        let partner = "arn:aws:events:us-east-1::event-source/aws.partner/scalr.com/acme/prod";
        check(
            partner_source_arn,
            &[partner, &partner.replace("::event", ":123456789012:event")],
            &[
                "aws.partner/scalr.com/acme/prod",
                ARN,
                &partner.replace("aws.partner/", ""),
            ],
        );
        check(
            source_pattern,
            &[r#"{"detail-type":["RunExecuted"]}"#],
            &[
                "",
                "null",
                "{}",
                r#"{"source":["a"]}"#,
                r#"{"region":["a"],"detail-type":["b"]}"#,
                "[]",
            ],
        );
    }

    #[test]
    fn tags_have_no_outer_blanks() {
        for (key, value, is_legal) in [
            ("team", "a b", true),
            ("team", "", true),
            ("team", " a", false),
            ("team", "a\u{a0}", false),
            (" team", "a", false),
        ] {
            let written = Written::from([(key.to_owned(), Some(value.to_owned()))]);
            assert_eq!(tags(&written).is_ok(), is_legal, "{key:?} {value:?}");
        }
    }

    #[test]
    fn settings() {
        check(
            description,
            &["", "Scalr's events", &"ä".repeat(512)],
            &["two\nlines", "a\tb", "a\u{2028}b", &"x".repeat(513)],
        );
        check(
            key,
            &[
                "",
                "alias/events",
                "arn:aws:kms:us-east-1:123456789012:key/1234abcd",
            ],
            &["alias events", "key!"],
        );
        for (days, is_legal) in [(1, true), (365, true), (0, false), (366, false)] {
            assert_eq!(retention(&days).is_ok(), is_legal, "{days}");
        }
    }
}
