//! The limits of a message, and AWS's refusals.

use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::state::queue::{MessageAttribute, Queue};

const ATTRIBUTES_MAX: usize = 10;
const NAME_CHARS_MAX: usize = 256;
const ID_CHARS_MAX: usize = 128;
pub(super) const DELAY_SECONDS_MAX: i64 = 900;

pub(super) fn bad_value(why: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterValue", why)
}

/// `Value V for parameter P is invalid. Reason: R`
pub(super) fn bad_parameter(value: impl std::fmt::Display, parameter: &str, reason: &str) -> Fault {
    bad_value(format!(
        "Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    ))
}

pub(super) fn missing_parameter(name: &str) -> Fault {
    Fault::new(
        "MissingParameter",
        format!("The request must contain the parameter {name}."),
    )
}

/// Text as XML 1.0 allows it.
pub(super) fn body(text: &str) -> Result<(), Fault> {
    if text.is_empty() {
        return Err(missing_parameter("MessageBody"));
    }
    let odd = |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    if text.contains(odd) {
        let why = "The message contains characters outside the allowed set: #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD and #x10000 to #x10FFFF.";
        return Err(Fault::new("InvalidMessageContents", why));
    }
    Ok(())
}

/// The bytes that count towards a message's size.
pub(super) fn size(body: &str, attributes: &BTreeMap<String, MessageAttribute>) -> usize {
    let attribute = |(name, attribute): (&String, &MessageAttribute)| {
        let text = attribute.string_value.as_deref().map_or(0, str::len);
        let bytes = attribute
            .binary_value
            .as_deref()
            .map_or(0, |encoded| encoded.trim_end_matches('=').len() * 3 / 4);
        name.len() + attribute.data_type.len() + text + bytes
    };
    body.len() + attributes.iter().map(attribute).sum::<usize>()
}

pub(super) fn attributes(given: &BTreeMap<String, MessageAttribute>) -> Result<(), Fault> {
    if given.len() > ATTRIBUTES_MAX {
        return Err(bad_value(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{ATTRIBUTES_MAX}].",
            given.len()
        )));
    }
    given
        .iter()
        .try_for_each(|(name, attribute)| one_attribute(name, attribute))
}

fn one_attribute(name: &str, attribute: &MessageAttribute) -> Result<(), Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !name.chars().all(allowed) {
        return Err(bad_value(format!(
            "The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters."
        )));
    }
    let lower = name.to_ascii_lowercase();
    let is_reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    let has_odd_dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    if name.is_empty() || name.len() > NAME_CHARS_MAX || is_reserved || has_odd_dots {
        return Err(bad_value(format!(
            "The message attribute name '{name}' is invalid."
        )));
    }
    let kind = attribute.data_type.split('.').next().unwrap_or_default();
    if !matches!(kind, "String" | "Number" | "Binary") {
        return Err(bad_value(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
        )));
    }
    let value = if kind == "Binary" {
        &attribute.binary_value
    } else {
        &attribute.string_value
    };
    let text = value.as_deref().unwrap_or_default();
    if text.is_empty() {
        return Err(bad_value(format!(
            "Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'."
        )));
    }
    if kind == "Number" && !text.parse::<f64>().is_ok_and(f64::is_finite) {
        return Err(bad_value(format!(
            "Can't cast the value of message (user) attribute '{name}' to a number."
        )));
    }
    Ok(())
}

/// A FIFO queue has one delay for all its messages.
pub(super) fn delay(queue: &Queue, given: Option<i64>) -> Result<(), Fault> {
    let Some(seconds) = given else { return Ok(()) };
    if !(0..=DELAY_SECONDS_MAX).contains(&seconds) {
        let reason = format!("DelaySeconds must be >= 0 and <= {DELAY_SECONDS_MAX}.");
        return Err(bad_parameter(seconds, "DelaySeconds", &reason));
    }
    if queue.is_fifo() && seconds != 0 {
        let reason = "The request include parameter that is not valid for this queue type.";
        return Err(bad_parameter(seconds, "DelaySeconds", reason));
    }
    Ok(())
}

/// The message group id and the deduplication id.
pub(super) fn ids(queue: &Queue, group: Option<&str>, deduplication: Option<&str>) -> Result<(), Fault> {
    for (name, id) in [
        ("MessageGroupId", group),
        ("MessageDeduplicationId", deduplication),
    ] {
        let Some(id) = id else { continue };
        let ok = (1..=ID_CHARS_MAX).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b.is_ascii_punctuation());
        if !ok {
            let reason = format!(
                "{name} can only include alphanumeric and punctuation characters. 1 to {ID_CHARS_MAX} in length."
            );
            return Err(bad_parameter(id, name, &reason));
        }
    }
    if queue.is_fifo() && deduplication.is_none() && !queue.is_on("ContentBasedDeduplication") {
        let why = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly";
        return Err(bad_value(why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Tags;

    fn attribute(kind: &str, text: &str, bytes: &str) -> MessageAttribute {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        MessageAttribute {
            data_type: kind.to_owned(),
            string_value: some(text),
            binary_value: some(bytes),
        }
    }

    #[test]
    fn attributes_are_held_to_their_types() {
        for (name, given, ok) in [
            ("a", attribute("String", "x", ""), true),
            ("a.b-c_1", attribute("String.json", "{}", ""), true),
            ("n", attribute("Number", "-1.5", ""), true),
            ("b", attribute("Binary.png", "", "AAEC"), true),
            ("", attribute("String", "x", ""), false),
            ("ö", attribute("String", "x", ""), false),
            ("AWS.x", attribute("String", "x", ""), false),
            ("amazon.x", attribute("String", "x", ""), false),
            (".x", attribute("String", "x", ""), false),
            ("x..y", attribute("String", "x", ""), false),
            ("a", attribute("String", "", ""), false),
            ("a", attribute("Binary", "text", ""), false),
            ("a", attribute("Number", "1a", ""), false),
            ("a", attribute("Number", "inf", ""), false),
            ("a", attribute("InvalidNumber", "1", ""), false),
        ] {
            let found = attributes(&BTreeMap::from([(name.to_owned(), given.clone())]));
            assert_eq!(found.is_ok(), ok, "{name} {given:?} {found:?}");
        }
    }

    #[test]
    fn bodies_hold_what_xml_holds() {
        for (text, ok) in [
            ("x", true),
            ("\t\r\n é 🙀", true),
            ("", false),
            ("a\u{1}", false),
            ("\u{FFFF}", false),
        ] {
            assert_eq!(body(text).is_ok(), ok, "{text:?}");
        }
    }

    #[test]
    fn sizes_count_attributes() {
        let given = BTreeMap::from([("ab".to_owned(), attribute("String", "xyz", ""))]);
        assert_eq!(size("body", &given), 4 + 2 + 6 + 3);
        let given = BTreeMap::from([("b".to_owned(), attribute("Binary", "", "AAECAw=="))]);
        assert_eq!(size("", &given), 1 + 6 + 4);
    }

    #[test]
    fn fifo_queues_ask_for_more() {
        let queue = |name: &str, by_content: &str| {
            let attributes =
                BTreeMap::from([("ContentBasedDeduplication".to_owned(), by_content.to_owned())]);
            Queue::new(name, attributes, Tags::new(), 0)
        };
        assert!(ids(&queue("q", "false"), None, None).is_ok());
        assert!(ids(&queue("q.fifo", "false"), Some("g"), None).is_err());
        assert!(ids(&queue("q.fifo", "true"), Some("g"), None).is_ok());
        assert!(ids(&queue("q.fifo", "false"), Some("g"), Some("d")).is_ok());
        assert!(ids(&queue("q.fifo", "true"), Some("a b"), None).is_err());
        for (name, seconds, ok) in [
            ("q", Some(900), true),
            ("q", Some(901), false),
            ("q", Some(-1), false),
            ("q.fifo", Some(0), true),
            ("q.fifo", Some(1), false),
            ("q.fifo", None, true),
        ] {
            assert_eq!(
                delay(&queue(name, "true"), seconds).is_ok(),
                ok,
                "{name} {seconds:?}"
            );
        }
    }
}
