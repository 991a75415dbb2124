//! The XML of the query protocol, which STS, SNS and IAM answer in.

use std::fmt::Write as _;

use serde_json::Value;

use crate::fault::Fault;

/// Operations whose result has no members and is there all the same: SDKs fail without it.
const EMPTY_RESULTS: [&str; 1] = ["UpdateRole"];

/// An answer of an operation, in the namespace of its service. A list is its elements, one after the other, each under the
/// list's name.
pub(super) fn answer(namespace: &str, operation: &str, answer: &Value, request_id: &str) -> String {
    let mut body = String::new();
    members(answer, &mut body);
    if !body.is_empty() || EMPTY_RESULTS.contains(&operation) {
        body = format!("<{operation}Result>{body}</{operation}Result>");
    }
    format!(
        "<{operation}Response xmlns=\"{namespace}\">{body}\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
}

/// A refusal.
pub(super) fn fault(namespace: &str, fault: &Fault, request_id: &str) -> String {
    let kind = if fault.status < 500 { "Sender" } else { "Receiver" };
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type><Code>{}</Code>\
         <Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        fault.code,
        escape(&fault.message)
    )
}

fn members(value: &Value, out: &mut String) {
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Array(list) => list.iter().for_each(|one| element(name, one, out)),
            one => element(name, one, out),
        }
    }
}

fn element(name: &str, value: &Value, out: &mut String) {
    let _ = write!(out, "<{name}>");
    match value {
        Value::Object(_) => members(value, out),
        Value::String(text) => out.push_str(&escape(text)),
        other => out.push_str(&other.to_string()),
    }
    let _ = write!(out, "</{name}>");
}

/// Control characters that XML cannot hold are left out.
fn escape(text: &str) -> String {
    let is_text = |c: &char| *c >= ' ' || matches!(c, '\t' | '\n' | '\r');
    let text: String = text.chars().filter(is_text).collect();
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\r', "&#13;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_written_in_the_form_of_their_service() {
        for (given, expected) in [
            (json!({}), ""),
            (
                json!({ "Arn": "a<b&\u{1}" }),
                "<OResult><Arn>a&lt;b&amp;</Arn></OResult>",
            ),
            (
                json!({ "Attributes": { "entry": [{ "key": "k", "value": "v" }, { "key": "l", "value": "" }] } }),
                "<OResult><Attributes><entry><key>k</key><value>v</value></entry>\
                 <entry><key>l</key><value></value></entry></Attributes></OResult>",
            ),
        ] {
            let expected = format!(
                "<OResponse xmlns=\"n\">{expected}<ResponseMetadata><RequestId>i</RequestId></ResponseMetadata></OResponse>"
            );
            assert_eq!(answer("n", "O", &given, "i"), expected);
        }
    }
}
