//! Random request bodies generated from the model: mostly of the right shape, with names that refer to each other, and
//! sometimes malformed.

use serde_json::{Map, Value, json};

use super::{Kind, Model, Shape};
use crate::clock::Dice;

/// Stands for the id of the custom event bus that is there: it is replaced before a body is sent.
pub(crate) const BUS_ID: &str = "0123456789abcdefghijklmno";

/// Texts that some operation gives a meaning.
const TEXTS: [&str; 38] = [
    "",
    "a",
    "b",
    "default",
    "aws.partner/a/b",
    "/aws/events/a",
    "123456789012",
    "111111111111",
    "*",
    "events:PutEvents",
    "rate(1 minute)",
    "cron(0/5 8-17 ? * MON-FRI *)",
    "$.detail",
    "$.detail.a[0]",
    "{\"source\":[\"s\"]}",
    "{\"detail\":{\"a\":[{\"wildcard\":\"*\"}]}}",
    "{\"a\":{\"b\":[1,null,\"x\"]}}",
    "{\"timestamp\":<t>,\"message\":\"<m>\"}",
    "{ $.a.b = \"x*\" && $.n > 1 }",
    "?a \"b c\" -d",
    "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}",
    "arn:aws:events:us-east-1:123456789012:event-bus/default",
    "arn:aws:events:us-east-1:123456789012:rule/a",
    "arn:aws:events:us-east-1:123456789012:archive/a",
    "arn:aws:events:us-east-1:123456789012:api-destination/a/0",
    "arn:aws:logs:us-east-1:123456789012:log-group:a:*",
    "arn:aws:sqs:us-east-1:123456789012:a",
    "arn:aws:iam::123456789012:role/a",
    "http://localhost/123456789012/a",
    BUS_ARN,
    "arn:aws:events:us-east-1:123456789012:subscriber/a/aaaaaaaaaaaaaaaaaaaaaaaaa",
    "arn:aws:events:us-east-1:123456789012:event-sourcev2/aws.partner/a/aaaaaaaaaaaaaaaaaaaaaaaaa",
    "arn:aws:events:us-east-1::event-source/aws.partner/a/b",
    "application/json",
    "{% $events.Data.detail.a %}",
    "2024-04-19T13:44:02Z",
    "é\u{0}😀\"\\",
    "99999999999999999999",
];

const BUS_ARN: &str = "arn:aws:events:us-east-1:123456789012:event-busv2/a/0123456789abcdefghijklmno";

const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "2",
    "-1",
    "10",
    "60",
    "128",
    "1000",
    "1e300",
    "0.5",
    "-0",
    "1713534242000",
    "9223372036854775807",
    "-9223372036854775808",
];

/// Values by member name, so that one request refers to what another created.
const HINTS: &[(&str, &str)] = &[
    ("eventsourcename", "aws.partner/a/b"),
    (
        "eventsourcearn",
        "arn:aws:events:us-east-1:123456789012:archive/a",
    ),
    ("eventpattern", "{\"source\":[\"s\"]}"),
    ("eventbusname", "default"),
    (
        "event",
        "{\"id\":\"i\",\"account\":\"1\",\"source\":\"s\",\"time\":\"t\",\"region\":\"r\",\"resources\":[],\"detail-type\":\"d\",\"detail\":{}}",
    ),
    ("scheduleexpression", "rate(1 minute)"),
    (
        "policy",
        "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}",
    ),
    (
        "policydocument",
        "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}",
    ),
    ("queueurl", "http://localhost/123456789012/a"),
    ("resourcearn", "arn:aws:events:us-east-1:123456789012:rule/a"),
    (
        "connectionarn",
        "arn:aws:events:us-east-1:123456789012:connection/a/0",
    ),
    ("arn", "arn:aws:sqs:us-east-1:123456789012:a"),
    ("invocationendpoint", "http://localhost/*"),
    ("eventbusarn", BUS_ARN),
    (
        "partnereventsourcearn",
        "arn:aws:events:us-east-1::event-source/aws.partner/a/b",
    ),
    ("contenttype", "application/json"),
    ("expression", "{% $events.Data %}"),
    ("account", "123456789012"),
    ("principal", "123456789012"),
    ("action", "events:PutEvents"),
    ("source", "s"),
    ("detail", "{\"a\":{\"b\":[1,null,\"x\"]}}"),
    ("rule", "a"),
    ("loggroupname", "g"),
    ("logstreamname", "s"),
    (
        "loggroupidentifiers",
        "arn:aws:logs:us-east-1:123456789012:log-group:g",
    ),
    ("deliverysourcename", "a"),
    ("deliverydestinationname", "a"),
    (
        "deliverydestinationarn",
        "arn:aws:logs:us-east-1:123456789012:delivery-destination:a",
    ),
    ("destinationresourcearn", "arn:aws:s3:::a"),
    ("destinationname", "a"),
    (
        "destinationarn",
        "arn:aws:lambda:us-east-1:123456789012:function:a",
    ),
    ("targetarn", "arn:aws:kinesis:us-east-1:123456789012:stream/a"),
    ("rolearn", "arn:aws:iam::123456789012:role/a"),
    ("filtername", "a"),
    ("filterpattern", "run"),
    (
        "deliverydestinationpolicy",
        "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}",
    ),
    (
        "accesspolicy",
        "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}",
    ),
];

/// A body for the operation.
pub(crate) fn body(model: &Model, operation: &str, dice: &mut Dice) -> Value {
    match model.input(operation) {
        Some(shape) => value(model, shape, "", dice, 0),
        None => json!({}),
    }
}

fn value(model: &Model, shape: &Shape, name: &str, dice: &mut Dice, depth: usize) -> Value {
    if one_in(60, dice) {
        return junk(dice, depth);
    }
    let below = |of: Option<&String>, name: &str, dice: &mut Dice| {
        let shape = of.and_then(|of| model.shape(of));
        shape.map_or(Value::Null, |shape| value(model, shape, name, dice, depth + 1))
    };
    match shape.kind {
        Kind::Structure if depth < 8 => {
            let mut members = Map::new();
            for (name, of) in &shape.members {
                if shape.required.contains(name) || one_in(4, dice) {
                    members.insert(name.clone(), below(Some(of), name, dice));
                }
            }
            Value::Object(members)
        }
        Kind::List if depth < 8 => {
            let count = if one_in(8, dice) { dice.roll() % 4 } else { 1 };
            (0..count).map(|_| below(shape.of.as_ref(), name, dice)).collect()
        }
        Kind::Map if depth < 8 => {
            let key = shape.key.as_ref().and_then(|key| model.shape(key));
            let keys: Vec<String> = (0..dice.roll() % 3)
                .map(|_| key.map_or_else(String::new, |key| text(key, "", dice)))
                .collect();
            keys.into_iter()
                .map(|key| (key, below(shape.value.as_ref(), "", dice)))
                .collect()
        }
        Kind::Structure | Kind::List | Kind::Map => Value::Null,
        Kind::String | Kind::Blob => Value::String(text(shape, name, dice)),
        Kind::Boolean => Value::Bool(dice.roll().is_multiple_of(2)),
        Kind::Integer | Kind::Long | Kind::Float | Kind::Double | Kind::Timestamp => {
            number(Some(shape), dice)
        }
    }
}

fn junk(dice: &mut Dice, depth: usize) -> Value {
    match dice.roll() % 7 {
        0 => Value::Null,
        1 => Value::Bool(true),
        2 => number(None, dice),
        3 if depth < 8 => json!([junk(dice, depth + 1), junk(dice, depth + 1)]),
        4 if depth < 8 => json!({ any_text(dice): junk(dice, depth + 1) }),
        5 => Value::String("x".repeat(usize::try_from(dice.roll() % 3000).unwrap_or(0))),
        _ => Value::String(any_text(dice)),
    }
}

/// Mostly a number that the shape allows.
fn number(shape: Option<&Shape>, dice: &mut Dice) -> Value {
    let all = NUMBERS.map(|text| serde_json::from_str::<Value>(text).unwrap_or(Value::Null));
    let fits = |value: &&Value| {
        let (number, shape) = (value.as_f64().unwrap_or(0.0), shape.filter(|_| value.is_i64()));
        shape.is_some_and(|shape| {
            shape.min.is_none_or(|min| number >= min) && shape.max.is_none_or(|max| number <= max)
        })
    };
    let fitting: Vec<&Value> = all.iter().filter(fits).collect();
    let fitting = pick(&fitting, dice).copied().filter(|_| !one_in(8, dice));
    fitting
        .or_else(|| pick(&all, dice))
        .cloned()
        .unwrap_or(Value::Null)
}

/// Mostly a text that the shape allows, and often the one that others of that name have.
fn text(shape: &Shape, name: &str, dice: &mut Dice) -> String {
    let fits = |text: &&str| {
        let length = text.chars().count().to_string().parse().unwrap_or(0.0);
        shape.min.is_none_or(|min| length >= min)
            && shape.max.is_none_or(|max| length <= max)
            && shape.regex().is_none_or(|regex| regex.is_match(text))
            && (shape.allowed.is_empty() || shape.allowed.iter().any(|allowed| allowed == text))
    };
    if one_in(24, dice) {
        return any_text(dice);
    }
    let lower = name.to_ascii_lowercase();
    let hinted = HINTS
        .iter()
        .find(|(hint, _)| *hint == lower)
        .map_or("a", |(_, text)| text);
    let mut all: Vec<&str> = TEXTS.to_vec();
    all.extend(shape.allowed.iter().map(String::as_str));
    let fitting: Vec<&str> = all.into_iter().filter(fits).collect();
    let hinted = Some(hinted).filter(|text| fits(text) && !one_in(4, dice));
    let chosen = hinted.or_else(|| pick(&fitting, dice).copied());
    chosen.map_or_else(|| any_text(dice), str::to_owned)
}

fn any_text(dice: &mut Dice) -> String {
    pick(&TEXTS, dice).map_or_else(String::new, |text| (*text).to_owned())
}

fn one_in(count: u64, dice: &mut Dice) -> bool {
    dice.roll().is_multiple_of(count)
}

fn pick<'t, T>(from: &'t [T], dice: &mut Dice) -> Option<&'t T> {
    let count = u64::try_from(from.len()).ok().filter(|count| *count > 0)?;
    from.get(usize::try_from(dice.roll() % count).ok()?)
}
