//! The XML of the query protocol, which STS answers in.

use std::fmt::Write as _;

use serde_json::Value;

use crate::fault::Fault;

/// An answer of an operation.
pub(super) fn answer(operation: &str, answer: &Value, request_id: &str) -> String {
    let mut body = String::new();
    members(answer, &mut body);
    format!(
        "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{operation}Result>{body}</{operation}Result>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
}

/// A refusal.
pub(super) fn fault(fault: &Fault, request_id: &str) -> String {
    let kind = if fault.status < 500 { "Sender" } else { "Receiver" };
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>{kind}</Type><Code>{}</Code>\
         <Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        fault.code,
        escape(&fault.message)
    )
}

fn members(value: &Value, out: &mut String) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let _ = write!(out, "<{name}>");
        match value {
            Value::Object(_) => members(value, out),
            Value::String(text) => out.push_str(&escape(text)),
            other => out.push_str(&other.to_string()),
        }
        let _ = write!(out, "</{name}>");
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
