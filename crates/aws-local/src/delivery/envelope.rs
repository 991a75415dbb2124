//! The event as rules and targets see it.

use std::sync::Arc;

use serde_json::Value;

use crate::clock::{Millis, rfc3339_seconds};

/// AWS's envelope round a detail, written once and shared by all that it is delivered to.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(crate) id: Arc<str>,
    pub(crate) time: Millis,
    pub(crate) text: Arc<str>,
}

/// What an envelope is made of.
pub(crate) struct Parts<'a> {
    pub(crate) id: String,
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
        let quoted = |text: &str| Value::from(text).to_string();
        let resources: Vec<String> = parts.resources.iter().map(|arn| quoted(arn)).collect();
        let text = [
            r#"{"version":"0","id":"#,
            &quoted(&parts.id),
            r#","detail-type":"#,
            &quoted(parts.detail_type),
            r#","source":"#,
            &quoted(parts.source),
            r#","account":"#,
            &quoted(parts.account),
            r#","time":"#,
            &quoted(&rfc3339_seconds(parts.time)),
            r#","region":"#,
            &quoted(parts.region),
            r#","resources":["#,
            &resources.join(","),
            r#"],"detail":"#,
            parts.detail,
            "}",
        ];
        Self {
            id: parts.id.into(),
            time: parts.time,
            text: text.concat().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_is_awss() {
        let envelope = Envelope::new(Parts {
            id: "i".to_owned(),
            detail_type: "Run\"Executed",
            source: "s",
            account: "123456789012",
            time: 1_713_534_242_500,
            region: "eu-west-1",
            resources: &["arn:a".to_owned()],
            detail: r#"{"z":1.50,"a":"x y"}"#,
        });
        assert_eq!(
            &*envelope.text,
            r#"{"version":"0","id":"i","detail-type":"Run\"Executed","source":"s","account":"123456789012","time":"2024-04-19T13:44:02Z","region":"eu-west-1","resources":["arn:a"],"detail":{"z":1.50,"a":"x y"}}"#
        );
    }
}
