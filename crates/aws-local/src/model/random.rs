//! Request bodies made by chance from the model: mostly of the right shape, with names that meet each other, and now
//! and then junk.

use serde_json::{Map, Value, json};

use super::{Kind, Model, Shape};
use crate::clock::Dice;

/// Texts that mean something somewhere.
const TEXTS: [&str; 32] = [
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
    "2024-04-19T13:44:02Z",
    "é\u{0}😀\"\\",
    "99999999999999999999",
];

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

/// A body for the operation.
pub(crate) fn body(model: &Model, operation: &str, dice: &mut Dice) -> Value {
    match model.input(operation) {
        Some(shape) => value(model, shape, dice, 0),
        None => json!({}),
    }
}

fn value(model: &Model, shape: &Shape, dice: &mut Dice, depth: usize) -> Value {
    if dice.roll().is_multiple_of(24) {
        return junk(dice, depth);
    }
    let below = |name: Option<&String>, dice: &mut Dice| {
        name.and_then(|name| model.shape(name))
            .map_or(Value::Null, |shape| value(model, shape, dice, depth + 1))
    };
    match shape.kind {
        Kind::Structure if depth < 8 => {
            let mut members = Map::new();
            for (name, of) in &shape.members {
                if shape.required.contains(name) || dice.roll().is_multiple_of(3) {
                    members.insert(name.clone(), below(Some(of), dice));
                }
            }
            Value::Object(members)
        }
        Kind::List if depth < 8 => (0..dice.roll() % 4)
            .map(|_| below(shape.of.as_ref(), dice))
            .collect(),
        Kind::Map if depth < 8 => {
            let keys: Vec<String> = (0..dice.roll() % 3).map(|_| text(dice)).collect();
            keys.into_iter()
                .map(|key| (key, below(shape.value.as_ref(), dice)))
                .collect()
        }
        Kind::Structure | Kind::List | Kind::Map => Value::Null,
        Kind::String | Kind::Blob if shape.allowed.is_empty() => Value::String(text(dice)),
        Kind::String | Kind::Blob => Value::from(pick(&shape.allowed, dice).map_or("", String::as_str)),
        Kind::Boolean => Value::Bool(dice.roll().is_multiple_of(2)),
        Kind::Integer | Kind::Long | Kind::Float | Kind::Double | Kind::Timestamp => number(dice),
    }
}

fn junk(dice: &mut Dice, depth: usize) -> Value {
    match dice.roll() % 7 {
        0 => Value::Null,
        1 => Value::Bool(true),
        2 => number(dice),
        3 if depth < 8 => json!([junk(dice, depth + 1), junk(dice, depth + 1)]),
        4 if depth < 8 => json!({ text(dice): junk(dice, depth + 1) }),
        5 => Value::String("x".repeat(usize::try_from(dice.roll() % 3000).unwrap_or(0))),
        _ => Value::String(text(dice)),
    }
}

fn number(dice: &mut Dice) -> Value {
    let text = pick(&NUMBERS, dice).copied().unwrap_or("0");
    serde_json::from_str(text).unwrap_or(Value::Null)
}

fn text(dice: &mut Dice) -> String {
    pick(&TEXTS, dice).map_or_else(String::new, |text| (*text).to_owned())
}

fn pick<'t, T>(from: &'t [T], dice: &mut Dice) -> Option<&'t T> {
    let count = u64::try_from(from.len()).ok().filter(|count| *count > 0)?;
    from.get(usize::try_from(dice.roll() % count).ok()?)
}
