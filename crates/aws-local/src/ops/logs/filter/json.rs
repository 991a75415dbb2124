//! `{ $.field = "value" && ($.n > 1 || $.flag IS TRUE) }`.

use serde_json::Value;

use super::reader::{Logic, Reader, Test};

/// A condition on a JSON message.
#[derive(Debug)]
pub(in crate::ops::logs) struct Expression(Logic<(Vec<Step>, Test)>);

#[derive(Debug)]
enum Step {
    Key(String),
    Index(usize),
    Every,
}

impl Expression {
    /// How many conditions there are.
    pub(super) fn count(&self) -> usize {
        self.0.count()
    }

    pub(super) fn holds(&self, message: &Value) -> bool {
        self.0.holds(&|(path, test)| {
            let mut found = Vec::new();
            select(message, path, &mut found);
            match test {
                Test::NotExists => found.is_empty(),
                test => found.into_iter().any(|value| fits(test, value)),
            }
        })
    }
}

/// Objects and lists have no value to compare: neither `=` nor `!=` holds for them.
fn fits(test: &Test, value: &Value) -> bool {
    match (test, value) {
        (Test::Is(wanted), value) => value == wanted,
        (Test::Number(compare, wanted), value) => {
            value.as_f64().is_some_and(|given| compare.holds(given, *wanted))
        }
        (_, Value::String(given)) => test.holds(given),
        (_, Value::Number(_) | Value::Bool(_)) => test.holds(&value.to_string()),
        _ => false,
    }
}

fn select<'v>(value: &'v Value, path: &[Step], found: &mut Vec<&'v Value>) {
    let Some((step, below)) = path.split_first() else {
        found.push(value);
        return;
    };
    match step {
        Step::Key(key) => value
            .get(key)
            .into_iter()
            .for_each(|value| select(value, below, found)),
        Step::Index(at) => value
            .get(at)
            .into_iter()
            .for_each(|value| select(value, below, found)),
        Step::Every => match value {
            Value::Array(items) => items.iter().for_each(|value| select(value, below, found)),
            Value::Object(members) => members.values().for_each(|value| select(value, below, found)),
            _ => {}
        },
    }
}

/// Reads the whole pattern, braces included.
pub(super) fn parse(text: &str) -> Result<Expression, String> {
    let inner = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .ok_or("a brace is not closed")?;
    let mut reader = Reader::new(inner);
    let expression = reader.any(&|reader| Ok((path(reader)?, test(reader)?)))?;
    if !reader.rest.is_empty() {
        return Err(format!("unexpected `{}`", reader.rest));
    }
    Ok(Expression(expression))
}

fn path(reader: &mut Reader<'_>) -> Result<Vec<Step>, String> {
    let Some(rest) = reader.rest.strip_prefix('$') else {
        return Err(format!(
            "a selector that starts with `$` is needed at `{}`",
            reader.rest
        ));
    };
    let (mut rest, mut steps) = (rest, Vec::new());
    loop {
        if rest.starts_with(".[") {
            rest = &rest[1..];
        }
        if let Some(after) = rest.strip_prefix('[') {
            let end = after.find(']').ok_or("a bracket is not closed")?;
            steps.push(bracket(&after[..end])?);
            rest = &after[end + 1..];
        } else if let Some(after) = rest.strip_prefix('.') {
            let end = after
                .find(|c: char| !(c.is_alphanumeric() || "_-*:@".contains(c)))
                .unwrap_or(after.len());
            let key = &after[..end];
            steps.push(match key {
                "" => return Err("a name is missing after `.`".to_owned()),
                "*" => Step::Every,
                key => Step::Key(key.to_owned()),
            });
            rest = &after[end..];
        } else {
            break;
        }
    }
    reader.rest = rest.trim_start();
    Ok(steps)
}

fn test(reader: &mut Reader<'_>) -> Result<Test, String> {
    if reader.word("NOT") {
        return if reader.word("EXISTS") {
            Ok(Test::NotExists)
        } else {
            Err("`EXISTS` is needed after `NOT`".to_owned())
        };
    }
    if reader.word("IS") {
        for (word, value) in [
            ("TRUE", Value::Bool(true)),
            ("FALSE", Value::Bool(false)),
            ("NULL", Value::Null),
        ] {
            if reader.word(word) {
                return Ok(Test::Is(value));
            }
        }
        return Err("TRUE, FALSE or NULL is needed after `IS`".to_owned());
    }
    reader.comparison("()&|")
}

fn bracket(inside: &str) -> Result<Step, String> {
    if inside == "*" {
        return Ok(Step::Every);
    }
    let quoted = ['\'', '"']
        .iter()
        .find_map(|q| inside.strip_prefix(*q)?.strip_suffix(*q));
    match quoted {
        Some(key) => Ok(Step::Key(key.to_owned())),
        None => inside
            .parse()
            .map(Step::Index)
            .map_err(|_| format!("`[{inside}]` is not an index")),
    }
}
