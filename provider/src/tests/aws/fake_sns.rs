//! The topics of the AWS in memory, and the forms and XML that SNS speaks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::fake::{Holdings, Trouble};

impl Holdings {
    pub(super) fn carry_out_topics(&mut self, name: &str, body: &Json) -> Result<Json, Trouble> {
        let unknown = Trouble::Says("UnknownOperationException", "");
        let topics = self.topics.as_mut().ok_or(unknown.clone())?;
        let missing = Trouble::Says("NotFound", "Topic does not exist");
        let topic = body["TopicArn"].as_str().unwrap_or_default();
        let policy = topics.get_mut(topic).ok_or(missing)?;
        match name {
            "GetTopicAttributes" => Ok(json!({ "Policy": *policy, "TopicArn": topic })),
            "SetTopicAttributes" if self.lost.contains(&name) => Ok(json!({})),
            "SetTopicAttributes" => {
                let value = body["AttributeValue"].as_str().unwrap_or_default();
                value.clone_into(policy);
                Ok(json!({}))
            }
            _ => Err(unknown),
        }
    }
}

/// The action and the members of a form.
pub(super) fn read(form: &[u8]) -> (String, Json) {
    let text = String::from_utf8_lossy(form);
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let all: BTreeMap<String, String> = pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    (all.get("Action").cloned().unwrap_or_default(), json!(all))
}

fn decoded(text: &str) -> String {
    let bytes = text.replace('+', " ").into_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = (*byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        out.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_default()
}

/// The body of an answer.
pub(super) fn answer(name: &str, attributes: &Json) -> String {
    let mut entries = String::new();
    for (key, value) in attributes.as_object().into_iter().flatten() {
        let value = escaped(value.as_str().unwrap_or_default());
        let _ = write!(entries, "<entry><key>{key}</key><value>{value}</value></entry>");
    }
    let result = format!("<Attributes>{entries}</Attributes>");
    format!("<{name}Response><{name}Result>{result}</{name}Result></{name}Response>")
}

/// The body of an error.
pub(super) fn error(code: &str, message: &str) -> String {
    let error = format!("<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>");
    format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
