//! `{ $.field = "value" && ($.n > 1 || $.flag IS TRUE) }`.

use serde_json::Value;

use crate::policy::glob;

/// How deep parentheses may nest.
const DEPTH_MAX: usize = 32;

/// A condition on a JSON message.
#[derive(Debug)]
pub(crate) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Test(Vec<Step>, Test),
}

#[derive(Debug)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
    Every,
}

#[derive(Debug)]
pub(crate) enum Test {
    Text { equal: bool, pattern: String },
    Number(Compare, f64),
    Is(Value),
    NotExists,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Expression {
    pub(crate) fn holds(&self, message: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(message)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(message)),
            Self::Test(path, test) => {
                let mut found = Vec::new();
                select(message, path, &mut found);
                match test {
                    Test::NotExists => found.is_empty(),
                    test => found.into_iter().any(|value| test.holds(value)),
                }
            }
        }
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Text { equal, pattern } => {
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Number(_) | Value::Bool(_) => value.to_string(),
                    _ => return false,
                };
                // Only `*` is a wildcard here; a `?` stands for itself.
                stars(pattern, &text) == *equal
            }
            Self::Number(compare, wanted) => {
                value.as_f64().is_some_and(|given| compare.holds(given, *wanted))
            }
            Self::Is(wanted) => value == wanted,
            Self::NotExists => false,
        }
    }
}

impl Compare {
    fn holds(self, given: f64, wanted: f64) -> bool {
        let equal = (given - wanted).abs() < f64::EPSILON * wanted.abs().max(1.0);
        match self {
            Self::Equal => equal,
            Self::NotEqual => !equal,
            Self::Less => given < wanted,
            Self::LessOrEqual => given < wanted || equal,
            Self::Greater => given > wanted,
            Self::GreaterOrEqual => given > wanted || equal,
        }
    }
}

fn stars(pattern: &str, text: &str) -> bool {
    if pattern.contains('?') {
        // A character that no JSON text holds stands in for the question mark on both sides.
        return glob(&pattern.replace('?', "\u{1}"), &text.replace('?', "\u{1}"));
    }
    glob(pattern, text)
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
pub(crate) fn parse(text: &str) -> Result<Expression, String> {
    let inner = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .ok_or("a brace is not closed")?;
    let mut reader = Reader {
        rest: inner.trim_start(),
        depth: 0,
    };
    let expression = reader.any()?;
    if !reader.rest.is_empty() {
        return Err(format!("unexpected `{}`", reader.rest));
    }
    Ok(expression)
}

const OPERATORS: [(&str, Compare); 6] = [
    ("!=", Compare::NotEqual),
    ("<=", Compare::LessOrEqual),
    (">=", Compare::GreaterOrEqual),
    ("=", Compare::Equal),
    ("<", Compare::Less),
    (">", Compare::Greater),
];

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
}

impl Reader<'_> {
    fn take(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else {
            return false;
        };
        self.rest = rest.trim_start();
        true
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self
            .rest
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
            && !self.rest[word.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if found {
            self.rest = self.rest[word.len()..].trim_start();
        }
        found
    }

    fn any(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.all()?];
        while self.take("||") {
            parts.push(self.all()?);
        }
        Ok(Expression::Any(parts))
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.one()?];
        while self.take("&&") {
            parts.push(self.one()?);
        }
        Ok(Expression::All(parts))
    }

    fn one(&mut self) -> Result<Expression, String> {
        if !self.take("(") {
            let path = self.path()?;
            return Ok(Expression::Test(path, self.test()?));
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("too many parentheses".to_owned());
        }
        let inner = self.any()?;
        if !self.take(")") {
            return Err("a parenthesis is not closed".to_owned());
        }
        self.depth -= 1;
        Ok(inner)
    }

    fn path(&mut self) -> Result<Vec<Step>, String> {
        if !self.rest.starts_with('$') {
            return Err(format!(
                "a selector that starts with `$` is needed at `{}`",
                self.rest
            ));
        }
        self.rest = &self.rest[1..];
        let mut steps = Vec::new();
        loop {
            self.rest = match self.rest.strip_prefix(".[") {
                Some(_) => &self.rest[1..],
                None => self.rest,
            };
            if let Some(after) = self.rest.strip_prefix('[') {
                let end = after.find(']').ok_or("a bracket is not closed")?;
                steps.push(bracket(&after[..end])?);
                self.rest = &after[end + 1..];
            } else if let Some(after) = self.rest.strip_prefix('.') {
                let end = after
                    .find(|c: char| !(c.is_alphanumeric() || "_-*:@".contains(c)))
                    .unwrap_or(after.len());
                let key = &after[..end];
                steps.push(match key {
                    "" => return Err("a name is missing after `.`".to_owned()),
                    "*" => Step::Every,
                    key => Step::Key(key.to_owned()),
                });
                self.rest = &after[end..];
            } else {
                break;
            }
        }
        self.rest = self.rest.trim_start();
        Ok(steps)
    }

    fn test(&mut self) -> Result<Test, String> {
        if self.word("NOT") {
            return if self.word("EXISTS") {
                Ok(Test::NotExists)
            } else {
                Err("`EXISTS` is needed after `NOT`".to_owned())
            };
        }
        if self.word("IS") {
            for (word, value) in [
                ("TRUE", Value::Bool(true)),
                ("FALSE", Value::Bool(false)),
                ("NULL", Value::Null),
            ] {
                if self.word(word) {
                    return Ok(Test::Is(value));
                }
            }
            return Err("TRUE, FALSE or NULL is needed after `IS`".to_owned());
        }
        let compare = OPERATORS
            .into_iter()
            .find(|(token, _)| self.take(token))
            .map(|(_, compare)| compare);
        let compare = compare.ok_or_else(|| format!("a comparison is needed at `{}`", self.rest))?;
        let (text, is_quoted) = self.value()?;
        match (compare, text.parse::<f64>()) {
            (compare, Ok(number)) if !is_quoted => Ok(Test::Number(compare, number)),
            (Compare::Equal, _) => Ok(Test::Text {
                equal: true,
                pattern: text,
            }),
            (Compare::NotEqual, _) => Ok(Test::Text {
                equal: false,
                pattern: text,
            }),
            _ => Err(format!("`{text}` is not a number")),
        }
    }

    fn value(&mut self) -> Result<(String, bool), String> {
        if let Some(inner) = self.rest.strip_prefix('"') {
            let (text, rest) = super::quoted(inner)?;
            self.rest = rest.trim_start();
            return Ok((text, true));
        }
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || "()&|".contains(c))
            .unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        if text.is_empty() {
            return Err("a value is missing".to_owned());
        }
        self.rest = rest.trim_start();
        Ok((text.to_owned(), false))
    }
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
