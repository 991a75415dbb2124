//! Validates a request against its shape, with the messages of AWS's refusals.

use std::fmt::{self, Display, Formatter};

use serde_json::Value;

use super::{Kind, Model, Shape};

/// Members of an entry of PutEvents that AWS shows and its published model does not have.
const UNLISTED: &str = ", kmsKeyIdentifier=null, internalMetadata=null";

/// A sensitive value within another, as AWS's SDKs show it.
const REDACTED: &str = "*** Sensitive Data Redacted ***";

/// How many findings AWS lists at most in one message.
const LISTED_MAX: usize = 10;

const LONG_NAME: &str = "Invalid LogGroup or LogStream, both must have length less than or equal to 512.";

/// What is wrong with a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Problems {
    /// A value of the wrong JSON type: AWS cannot even read the request.
    Unreadable(String),
    /// Values that break the model's limits, in AWS's words, and the first member that is not there.
    Invalid { why: String, missing: Option<String> },
}

/// Checks `body` against the shape of an operation's input.
pub(super) fn check(model: &Model, shape: &Shape, body: &Value) -> Result<(), Problems> {
    let mut walk = Checker {
        model,
        found: Vec::new(),
        missing: None,
        long_name: false,
    };
    walk.value(shape, body, &At::BODY).map_err(Problems::Unreadable)?;
    if walk.found.is_empty() {
        return Ok(());
    }
    if walk.long_name {
        return Err(Problems::Invalid {
            why: LONG_NAME.to_owned(),
            missing: None,
        });
    }
    let count = walk.found.len();
    let plural = if count == 1 { "error" } else { "errors" };
    walk.found.truncate(LISTED_MAX);
    Err(Problems::Invalid {
        why: format!("{count} validation {plural} detected: {}", walk.found.join("; ")),
        missing: walk.missing,
    })
}

/// Takes the members out of a value that its shape does not have.
pub(super) fn leave_out_unknown(model: &Model, shape: &Shape, value: &mut Value) {
    let below = |of: Option<&String>| of.and_then(|of| model.shape(of));
    match (shape.kind, value) {
        (Kind::Structure, Value::Object(given)) => {
            let of = |name: &String| shape.members.iter().find(|(member, _)| member == name);
            given.retain(|name, _| of(name).is_some());
            for (name, value) in given {
                if let Some(shape) = below(of(name).map(|(_, of)| of)) {
                    leave_out_unknown(model, shape, value);
                }
            }
        }
        (Kind::List, Value::Array(items)) => {
            if let Some(shape) = below(shape.of.as_ref()) {
                for item in items {
                    leave_out_unknown(model, shape, item);
                }
            }
        }
        (Kind::Map, Value::Object(entries)) => {
            if let Some(shape) = below(shape.value.as_ref()) {
                for value in entries.values_mut() {
                    leave_out_unknown(model, shape, value);
                }
            }
        }
        _ => {}
    }
}

/// Where a value is in the body. It is spelt only when a refusal names it.
#[derive(Clone, Copy)]
struct At<'a> {
    above: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Body,
    Member(&'a str),
    Item(usize),
    /// Of a map, by its key.
    Entry(&'a str),
}

impl<'a> At<'a> {
    const BODY: Self = Self {
        above: None,
        step: Step::Body,
    };

    fn below(&'a self, step: Step<'a>) -> Self {
        Self {
            above: Some(self),
            step,
        }
    }

    fn is(&self, spelling: &str) -> bool {
        self.to_string() == spelling
    }
}

/// As AWS's messages have it: `entries.1.member.source`.
impl Display for At<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            above.fmt(f)?;
            if above.above.is_some() {
                f.write_str(".")?;
            }
        }
        match self.step {
            Step::Body => Ok(()),
            Step::Member(name) => f.write_str(&lower(name)),
            Step::Item(number) => write!(f, "{number}.member"),
            Step::Entry(key) => write!(f, "{key}.member"),
        }
    }
}

struct Checker<'m> {
    model: &'m Model,
    found: Vec<String>,
    missing: Option<String>,
    /// The logs service has a message of its own for long names.
    long_name: bool,
}

impl Checker<'_> {
    fn value(&mut self, shape: &Shape, value: &Value, at: &At<'_>) -> Result<(), String> {
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(given)) => self.members(shape, given, at),
            (Kind::List, Value::Array(items)) => {
                self.length(shape, items.len(), value, at);
                let below = shape.of.as_deref().and_then(|of| self.model.shape(of));
                for (n, item) in items.iter().enumerate() {
                    if let (Some(below), false) = (below, item.is_null()) {
                        self.value(below, item, &at.below(Step::Item(n + 1)))?;
                    }
                }
                Ok(())
            }
            (Kind::Map, Value::Object(entries)) => self.map(shape, entries, value, at),
            (Kind::String, Value::String(text)) => {
                self.text(shape, text, at);
                Ok(())
            }
            (Kind::Integer | Kind::Long | Kind::Float | Kind::Double, Value::Number(number))
                if fits(shape.kind, number) =>
            {
                self.number(shape, number, at);
                Ok(())
            }
            (Kind::Boolean, Value::Bool(_))
            | (Kind::Timestamp, Value::Number(_) | Value::String(_))
            | (Kind::Blob, Value::String(_)) => Ok(()),
            (kind, value) => Err(format!(
                "{} can not be converted to {}",
                java_token(value),
                java_type(kind)
            )),
        }
    }

    fn members(
        &mut self,
        shape: &Shape,
        given: &serde_json::Map<String, Value>,
        at: &At<'_>,
    ) -> Result<(), String> {
        let model = self.model;
        if model.strict {
            self.unknown_members(shape, given, at);
        }
        for (name, to) in &shape.members {
            let at = at.below(Step::Member(name));
            if let Some(value) = given.get(name).filter(|value| !value.is_null()) {
                if let Some(below) = model.shape(to) {
                    self.value(below, value, &at)?;
                }
            } else if shape.required.contains(name) {
                self.missing.get_or_insert_with(|| name.clone());
                self.fail("null ", &at, "Member must not be null");
            }
        }
        Ok(())
    }

    /// Members that the model does not have, and unions that do not have exactly one.
    fn unknown_members(&mut self, shape: &Shape, given: &serde_json::Map<String, Value>, at: &At<'_>) {
        let is_known = |name: &String| shape.members.iter().any(|(member, _)| member == name);
        for name in given.keys().filter(|name| !is_known(name)) {
            self.fail(
                "",
                &at.below(Step::Member(name)),
                "Member is not known to AWS's model of 2025-05-15",
            );
        }
        let set = given.values().filter(|value| !value.is_null()).count();
        if shape.union && set != 1 {
            self.fail(
                "",
                at,
                &format!("Member must have exactly one of its variants, and has {set}"),
            );
        }
    }

    fn map(
        &mut self,
        shape: &Shape,
        entries: &serde_json::Map<String, Value>,
        whole: &Value,
        at: &At<'_>,
    ) -> Result<(), String> {
        self.length(shape, entries.len(), whole, at);
        let model = self.model;
        let (keys, values) = (
            shape.key.as_deref().and_then(|k| model.shape(k)),
            shape.value.as_deref().and_then(|v| model.shape(v)),
        );
        for (key, value) in entries {
            if let Some(keys) = keys {
                self.text(keys, key, at);
            }
            if let (Some(values), false) = (values, value.is_null()) {
                self.value(values, value, &at.below(Step::Entry(key)))?;
            }
        }
        Ok(())
    }

    fn text(&mut self, shape: &Shape, text: &str, at: &At<'_>) {
        if shape.min.is_some() || shape.max.is_some() {
            self.bounds(shape, text.chars().count(), "have length", text, at);
        }
        if shape.regex().is_some_and(|regex| !regex.is_match(text)) {
            let pattern = shape.pattern.as_deref().unwrap_or_default();
            self.fail_value(
                shape,
                text,
                at,
                &format!("Member must satisfy regular expression pattern: {pattern}"),
            );
        }
        let is = |allowed: &String| allowed == text || (shape.any_case && allowed.eq_ignore_ascii_case(text));
        if !shape.allowed.is_empty() && !shape.allowed.iter().any(is) {
            let allowed = shape.allowed.join(", ");
            self.fail_value(
                shape,
                text,
                at,
                &format!("Member must satisfy enum value set: [{allowed}]"),
            );
        }
    }

    fn number(&mut self, shape: &Shape, number: &serde_json::Number, at: &At<'_>) {
        let Some(value) = number.as_f64() else { return };
        if shape.min.is_some_and(|min| value < min) {
            let min = shape.min.unwrap_or_default();
            self.fail_value(
                shape,
                &number.to_string(),
                at,
                &format!("Member must have value greater than or equal to {min}"),
            );
        }
        if shape.max.is_some_and(|max| value > max) {
            let max = shape.max.unwrap_or_default();
            self.fail_value(
                shape,
                &number.to_string(),
                at,
                &format!("Member must have value less than or equal to {max}"),
            );
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^52")]
    fn length(&mut self, shape: &Shape, length: usize, whole: &Value, at: &At<'_>) {
        let n = length as f64;
        if shape.min.is_some_and(|min| n < min) || shape.max.is_some_and(|max| n > max) {
            let shown = self.shown(shape, whole);
            self.bounds(shape, length, "have length", &shown, at);
        }
    }

    /// A value in the form that AWS's messages show it in.
    fn shown(&self, shape: &Shape, value: &Value) -> String {
        if shape.sensitive {
            return REDACTED.to_owned();
        }
        match (shape.of.as_deref(), value) {
            (Some(of), Value::Array(items)) => {
                let items: Vec<String> = items.iter().map(|item| self.shown_as(of, item)).collect();
                format!("[{}]", items.join(", "))
            }
            (_, Value::String(text)) => text.clone(),
            (_, other) => other.to_string(),
        }
    }

    /// A value of the shape of that name: `Name(member=value, other=null)` for a structure.
    fn shown_as(&self, name: &str, value: &Value) -> String {
        let Some(shape) = self.model.shape(name) else {
            return value.to_string();
        };
        let (Kind::Structure, Value::Object(given)) = (shape.kind, value) else {
            return self.shown(shape, value);
        };
        let member = |(member, to): &(String, String)| {
            let value = given.get(member).filter(|v| !v.is_null());
            let shown = value.map_or_else(|| "null".to_owned(), |value| self.shown_as(to, value));
            format!("{}={shown}", lower(member))
        };
        let members: Vec<String> = shape.members.iter().map(member).collect();
        let unlisted = if name == "PutEventsRequestEntry" {
            UNLISTED
        } else {
            ""
        };
        format!("{name}({}{unlisted})", members.join(", "))
    }

    #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^52")]
    fn bounds(&mut self, shape: &Shape, length: usize, what: &str, shown: &str, at: &At<'_>) {
        if let Some(min) = shape.min.filter(|min| (length as f64) < *min) {
            self.fail_value(
                shape,
                shown,
                at,
                &format!("Member must {what} greater than or equal to {min}"),
            );
        }
        if let Some(max) = shape.max.filter(|max| (length as f64) > *max) {
            self.long_name |= at.is("logGroupName") || at.is("logStreamName");
            self.fail_value(
                shape,
                shown,
                at,
                &format!("Member must {what} less than or equal to {max}"),
            );
        }
    }

    fn fail_value(&mut self, shape: &Shape, shown: &str, at: &At<'_>, rule: &str) {
        // The logs service reports this one once. Of a sensitive member AWS names the place and no value: Cognito's "Value at
        // 'password' failed to satisfy constraint" is on record in many places.
        if at.is("logGroupIdentifier") || shape.sensitive {
            self.fail("", at, rule);
        } else {
            self.fail(&format!("'{shown}' "), at, rule);
        }
    }

    fn fail(&mut self, shown: &str, at: &At<'_>, rule: &str) {
        self.found.push(format!(
            "Value {shown}at '{at}' failed to satisfy constraint: {rule}"
        ));
    }
}

/// Whether Java's type of that kind holds the number.
fn fits(kind: Kind, number: &serde_json::Number) -> bool {
    match kind {
        Kind::Integer => number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        Kind::Long => number.as_i64().is_some(),
        _ => true,
    }
}

fn lower(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}

fn java_token(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

fn java_type(kind: Kind) -> &'static str {
    match kind {
        Kind::String | Kind::Blob => "String",
        Kind::Integer => "Integer",
        Kind::Long => "Long",
        Kind::Float | Kind::Double => "Double",
        Kind::Boolean => "Boolean",
        Kind::Timestamp => "Date",
        Kind::Structure | Kind::List | Kind::Map => "the expected structure",
    }
}

#[cfg(test)]
mod tests {
    use super::super::Service;
    use super::*;

    fn verdict(service: Service, operation: &str, body: &str) -> String {
        let body = serde_json::from_str(body).unwrap();
        match service.input(operation).unwrap().check(&body) {
            Ok(()) => "ok".to_owned(),
            Err(Problems::Unreadable(why)) => format!("unreadable: {why}"),
            Err(Problems::Invalid { why, .. }) => why,
        }
    }

    #[test]
    fn entries_are_shown_as_awss() {
        let entry = r#"{"Source":"s","Detail":"{}","Resources":["a","b"]}"#;
        let shown = "PutEventsRequestEntry(time=null, source=s, resources=[a, b], detailType=null, detail={}, eventBusName=null, traceHeader=null, kmsKeyIdentifier=null, internalMetadata=null)";
        let body = format!(r#"{{"Entries":[{}]}}"#, [entry; 11].join(","));
        let expected = format!(
            "1 validation error detected: Value '[{}]' at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10",
            [shown; 11].join(", ")
        );
        assert_eq!(verdict(Service::Events, "PutEvents", &body), expected);
    }

    #[test]
    fn members_and_values_come_in_awss_order() {
        let cases = [
            (
                Service::Events,
                "CreateConnection",
                r#"{"AuthorizationType":"INVALID","AuthParameters":{},"Name":"two errors, 12346789012341234123412341234123412346789012341234123412345"}"#,
                r"3 validation errors detected: Value 'two errors, 12346789012341234123412341234123412346789012341234123412345' at 'name' failed to satisfy constraint: Member must have length less than or equal to 64; Value 'two errors, 12346789012341234123412341234123412346789012341234123412345' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_A-Za-z0-9]+; Value 'INVALID' at 'authorizationType' failed to satisfy constraint: Member must satisfy enum value set: [BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY]",
            ),
            (
                Service::Events,
                "UpdateApiDestination",
                r#"{"Name":"a","HttpMethod":"x"}"#,
                "1 validation error detected: Value 'x' at 'httpMethod' failed to satisfy constraint: Member must satisfy enum value set: [HEAD, POST, PATCH, DELETE, PUT, GET, OPTIONS]",
            ),
            (
                Service::Events,
                "ListRules",
                r#"{"Limit":9000000000}"#,
                "unreadable: NUMBER_VALUE can not be converted to Integer",
            ),
        ];
        for (service, operation, body, expected) in cases {
            assert_eq!(verdict(service, operation, body), expected, "{operation} {body}");
        }
    }

    /// Of what AWS's model marks as sensitive, the place is named and the value is not.
    #[test]
    fn a_refused_secret_is_not_shown() {
        const HEADER: &str = r#"{"HeaderParameters":[{"Key":"k","Value":"s3cret\u0001"}]}"#;
        let api_key = |value: &str| {
            let key = format!(r#"{{"ApiKeyName":"k","ApiKeyValue":"{value}"}}"#);
            (
                format!(r#""ApiKeyAuthParameters":{key}"#),
                "apiKeyAuthParameters.apiKeyValue",
            )
        };
        for (auth, at) in [
            api_key(r"s3cret\u0001"),
            api_key(&format!("s3cret{}", "x".repeat(512))),
            (
                r#""BasicAuthParameters":{"Username":"u","Password":"s3cret\u0001"}"#.to_owned(),
                "basicAuthParameters.password",
            ),
            (
                format!(r#""InvocationHttpParameters":{HEADER}"#),
                "invocationHttpParameters.headerParameters.1.member.value",
            ),
        ] {
            let body = format!(r#"{{"Name":"a","AuthorizationType":"API_KEY","AuthParameters":{{{auth}}}}}"#);
            let said = verdict(Service::Events, "CreateConnection", &body);
            let place = format!("Value at 'authParameters.{at}' failed to satisfy constraint: ");
            assert!(said.contains(&place) && !said.contains("s3cret"), "{said}");
        }
    }

    #[test]
    fn refusals_read_as_awss() {
        let long_name = format!(r#"{{"logGroupName":"{}"}}"#, "g".repeat(513));
        let cases = [
            (Service::Events, "CreateEventBus", r#"{"Name":"a/b"}"#, "ok"),
            (
                Service::Events,
                "CreateEventBus",
                "{}",
                "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null",
            ),
            (
                Service::Events,
                "CreateEventBus",
                r#"{"Name":"a b"}"#,
                r"1 validation error detected: Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [/\.\-_A-Za-z0-9]+",
            ),
            (
                Service::Events,
                "ListRules",
                r#"{"Limit":101}"#,
                "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100",
            ),
            (
                Service::Events,
                "ListRules",
                r#"{"Limit":"x"}"#,
                "unreadable: STRING_VALUE can not be converted to Integer",
            ),
            (
                Service::Events,
                "PutEvents",
                r#"{"Entries":[]}"#,
                "1 validation error detected: Value '[]' at 'entries' failed to satisfy constraint: Member must have length greater than or equal to 1",
            ),
            (
                Service::Events,
                "PutPartnerEvents",
                r#"{"Entries":[{"Source":"x"}]}"#,
                r"1 validation error detected: Value 'x' at 'entries.1.member.source' failed to satisfy constraint: Member must satisfy regular expression pattern: aws\.partner(/[\.\-_A-Za-z0-9]+){2,}",
            ),
            (
                Service::Logs,
                "CreateLogGroup",
                r#"{"logGroupName":"","logGroupClass":"X"}"#,
                r"3 validation errors detected: Value '' at 'logGroupName' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+; Value 'X' at 'logGroupClass' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, INFREQUENT_ACCESS, DELIVERY, ESSENTIALS]",
            ),
            (
                Service::Logs,
                "DescribeLogStreams",
                r#"{"logGroupIdentifier":"a:*"}"#,
                r"1 validation error detected: Value at 'logGroupIdentifier' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w#+=/:,.@-]*",
            ),
            (
                Service::Logs,
                "FilterLogEvents",
                r#"{"logGroupName":"g","limit":10001}"#,
                "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000",
            ),
            (Service::Logs, "CreateLogGroup", &long_name, LONG_NAME),
        ];
        for (service, operation, body, expected) in cases {
            assert_eq!(verdict(service, operation, body), expected, "{operation} {body}");
        }
    }
}
