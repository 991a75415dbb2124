//! The event as rules and targets see it.

use std::sync::Arc;

use crate::clock::{Millis, rfc3339_seconds};
use crate::jsontext::quote;

/// About as much has an envelope besides its detail.
const OTHER_BYTES: usize = 384;

/// AWS's envelope round a detail, written once and shared by all that it is delivered to.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(crate) id: Arc<str>,
    pub(crate) time: Millis,
    pub(crate) text: Arc<str>,
}

/// What an envelope is made of.
pub(crate) struct Parts<'a> {
    pub(crate) id: Arc<str>,
    pub(crate) detail_type: &'a str,
    pub(crate) source: &'a str,
    pub(crate) account: &'a str,
    pub(crate) time: Millis,
    pub(crate) region: &'a str,
    pub(crate) resources: &'a [String],
    /// A compact JSON object: key order and the spelling of numbers are the caller's.
    pub(crate) detail: &'a str,
}

impl Envelope {
    pub(crate) fn new(parts: Parts<'_>) -> Self {
        let time = rfc3339_seconds(parts.time);
        let mut text = String::with_capacity(parts.detail.len() + OTHER_BYTES);
        for (name, value) in [
            (r#"{"version":"0","id":"#, &*parts.id),
            (r#","detail-type":"#, parts.detail_type),
            (r#","source":"#, parts.source),
            (r#","account":"#, parts.account),
            (r#","time":"#, &time),
            (r#","region":"#, parts.region),
        ] {
            text.push_str(name);
            quote(value, &mut text);
        }
        text.push_str(r#","resources":["#);
        for (at, arn) in parts.resources.iter().enumerate() {
            text.push_str(if at > 0 { "," } else { "" });
            quote(arn, &mut text);
        }
        text.push_str(r#"],"detail":"#);
        text.push_str(parts.detail);
        text.push('}');
        Self {
            id: parts.id,
            time: parts.time,
            text: text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_is_awss() {
        let envelope = Envelope::new(Parts {
            id: "i".into(),
            detail_type: "Run\"Executed",
            source: "s",
            account: "123456789012",
            time: 1_713_534_242_500,
            region: "eu-west-1",
            resources: &["arn:a".to_owned(), "b\\".to_owned()],
            detail: r#"{"z":1.50,"a":"x y"}"#,
        });
        assert_eq!(
            &*envelope.text,
            r#"{"version":"0","id":"i","detail-type":"Run\"Executed","source":"s","account":"123456789012","time":"2024-04-19T13:44:02Z","region":"eu-west-1","resources":["arn:a","b\\"],"detail":{"z":1.50,"a":"x y"}}"#
        );
    }
}
