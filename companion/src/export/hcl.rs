//! HCL text: blocks of attributes, as `terraform fmt` would leave them.
//!
//! Texts are quoted templates in which nothing is a template, whatever they hold; none is a heredoc. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::letters::is_hidden;

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// True or false.
    Bool(bool),
    /// An expression of our own making, such as a reference.
    Expression(String),
    /// A list.
    List(Vec<Value>),
    /// An object: names that are identifiers.
    Object(Attributes),
    /// A map: keys that may be any text.
    Map(Vec<(String, Value)>),
    /// JSON text.
    Json(String),
}

/// Attributes in their order.
pub(crate) type Attributes = Vec<(&'static str, Value)>;

/// A block at the top of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Its keyword.
    pub(crate) keyword: &'static str,
    /// Its labels, which are identifiers.
    pub(crate) labels: Vec<String>,
    /// What it holds.
    pub(crate) attributes: Attributes,
}

impl Block {
    /// The type of the resource that it is of; none of an import.
    pub(crate) fn resource_type(&self) -> Option<&str> {
        self.labels.first().map(String::as_str)
    }

    /// The block's text.
    pub(crate) fn text(&self) -> String {
        let mut text = self.keyword.to_owned();
        for label in &self.labels {
            text.extend([" ", &quoted(label)]);
        }
        text.push_str(" {\n");
        write_attributes(&mut text, &self.attributes, 1);
        text.push_str("}\n");
        text
    }
}

/// A line of comment. What came from outside cannot end it.
pub(crate) fn comment(line: &str) -> String {
    let plain: String = line
        .chars()
        .map(|c| if is_hidden(c) { '\u{fffd}' } else { c })
        .collect();
    format!("# {plain}\n")
}

/// Attributes, one a line. The `=` of lines that follow each other are under each other, as long as the values are on one line.
fn write_attributes(text: &mut String, attributes: &[(&'static str, Value)], depth: usize) {
    let values: Vec<String> = attributes.iter().map(|(_, value)| value.text(depth)).collect();
    let is_short: Vec<bool> = values.iter().map(|value| !value.contains('\n')).collect();
    for (at, ((name, _), value)) in attributes.iter().zip(&values).enumerate() {
        let width = if is_short[at] {
            run(attributes, &is_short, at)
        } else {
            name.len()
        };
        indent(text, depth);
        text.extend([*name, &" ".repeat(width - name.len()), " = ", value, "\n"]);
    }
}

/// The longest name of the run of short lines that a line is in.
fn run(attributes: &[(&'static str, Value)], is_short: &[bool], at: usize) -> usize {
    let begin = is_short[..at]
        .iter()
        .rposition(|short| !short)
        .map_or(0, |long| long + 1);
    let lines = attributes[begin..].iter().zip(&is_short[begin..]);
    let names = lines
        .take_while(|(_, short)| **short)
        .map(|((name, _), _)| name.len());
    names.max().unwrap_or_default()
}

fn indent(text: &mut String, depth: usize) {
    text.push_str(&"  ".repeat(depth));
}

impl Value {
    fn text(&self, depth: usize) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Number(number) => number.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Expression(expression) => expression.clone(),
            Self::List(all) if all.is_empty() => "[]".to_owned(),
            Self::List(all) => lines("[", "]", all.iter().map(|one| one.text(depth + 1) + ","), depth),
            Self::Object(all) if all.is_empty() => "{}".to_owned(),
            Self::Object(all) => {
                let mut text = "{\n".to_owned();
                write_attributes(&mut text, all, depth + 1);
                indent(&mut text, depth);
                text + "}"
            }
            Self::Map(all) => map(
                all.iter()
                    .map(|(key, value)| (key.as_str(), value.text(depth + 1))),
                depth,
            ),
            Self::Json(text) => json_text(text, depth),
        }
    }
}

/// Lines between two brackets.
fn lines(open: &str, close: &str, inner: impl Iterator<Item = String>, depth: usize) -> String {
    let mut text = format!("{open}\n");
    for line in inner {
        indent(&mut text, depth + 1);
        text.extend([&line, "\n"]);
    }
    indent(&mut text, depth);
    text + close
}

/// A map or a JSON object: every key is quoted, since one that is an identifier could be a keyword.
fn map<'a>(entries: impl Iterator<Item = (&'a str, String)>, depth: usize) -> String {
    let entries: Vec<(String, String)> = entries.map(|(key, value)| (quoted(key), value)).collect();
    if entries.is_empty() {
        return "{}".to_owned();
    }
    let is_short = |value: &str| !value.contains('\n');
    let short = entries.iter().all(|(_, value)| is_short(value));
    let width = |key: &str| key.chars().count();
    let widest = entries
        .iter()
        .map(|(key, _)| width(key))
        .max()
        .unwrap_or_default();
    let entry = |(key, value): &(String, String)| {
        let blanks = if short { widest - width(key) } else { 0 };
        format!("{key}{} = {value}", " ".repeat(blanks))
    };
    lines("{", "}", entries.iter().map(entry), depth)
}

/// JSON as `jsonencode(…)`, where that means the same; else as a text.
fn json_text(text: &str, depth: usize) -> String {
    match serde_json::from_str::<Json>(text) {
        Ok(json) if is_kept(&json) && minified(text) == json.to_string().len() => {
            format!("jsonencode({})", json_value(&json, depth))
        }
        _ => quoted(text),
    }
}

/// Whether HCL keeps the numbers as they are written.
fn is_kept(json: &Json) -> bool {
    const DIGITS_MAX: usize = 15;
    match json {
        Json::Number(number) => {
            let number = number.to_string();
            number.len() <= DIGITS_MAX && !number.contains(['e', 'E'])
        }
        Json::Array(all) => all.iter().all(is_kept),
        Json::Object(all) => all.values().all(is_kept),
        _ => true,
    }
}

/// Bytes of a JSON text without the blanks between its parts: what was read has as many, unless a key came twice or a letter was
/// escaped that need not be.
fn minified(text: &str) -> usize {
    let (mut count, mut inside, mut escaped) = (0, false, false);
    for byte in text.bytes() {
        count += usize::from(inside || !byte.is_ascii_whitespace());
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            _ => {}
        }
    }
    count
}

fn json_value(json: &Json, depth: usize) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => quoted(text),
        Json::Array(all) if all.iter().all(|one| !one.is_array() && !one.is_object()) => {
            let all: Vec<String> = all.iter().map(|one| json_value(one, depth)).collect();
            format!("[{}]", all.join(", "))
        }
        Json::Array(all) => lines(
            "[",
            "]",
            all.iter().map(|one| json_value(one, depth + 1) + ","),
            depth,
        ),
        Json::Object(all) => map(
            all.iter()
                .map(|(key, one)| (key.as_str(), json_value(one, depth + 1))),
            depth,
        ),
    }
}

/// A quoted template that is this text and nothing else.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // Twice: `${` and `%{` begin what is computed.
            '$' | '%' if letters.peek() == Some(&'{') => quoted.extend([letter, letter]),
            plain if !is_hidden(plain) => quoted.push(plain),
            // Writing to a String cannot fail.
            other if u32::from(other) > 0xffff => drop(write!(quoted, "\\U{:08x}", u32::from(other))),
            other => drop(write!(quoted, "\\u{:04x}", u32::from(other))),
        }
    }
    quoted.push('"');
    quoted
}

/// A text.
pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// An attribute with a text, where there is one.
pub(super) fn given(name: &'static str, value: Option<&String>) -> Option<(&'static str, Value)> {
    value.map(|value| (name, text(value)))
}

/// The attribute `tags`, where there are any.
pub(super) fn tags(tags: &BTreeMap<String, String>) -> Option<(&'static str, Value)> {
    (!tags.is_empty()).then(|| ("tags", texts(tags)))
}

/// A map of texts.
pub(super) fn texts(all: &BTreeMap<String, String>) -> Value {
    Value::Map(
        all.iter()
            .map(|(key, value)| (key.clone(), text(value)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_what_they_are() {
        for (text, want) in [
            ("plain", r#""plain""#),
            ("a \"b\" \\ c", r#""a \"b\" \\ c""#),
            ("a\nb\r\tc", r#""a\nb\r\tc""#),
            ("${x} %{y} $ % $x {", r#""$${x} %%{y} $ % $x {""#),
            ("$${x}", r#""$$${x}""#),
            ("größe 🚀", r#""größe 🚀""#),
            (
                "a\u{0}b\u{1b}\u{2028}\u{202e}\u{e0001}",
                r#""a\u0000b\u001b\u2028\u202e\U000e0001""#,
            ),
        ] {
            assert_eq!(quoted(text), want, "{text:?}");
        }
    }

    #[test]
    fn comments_stay_on_their_line() {
        assert_eq!(
            comment("a\nresource\r\u{2028}b"),
            "# a\u{fffd}resource\u{fffd}\u{fffd}b\n"
        );
    }

    #[test]
    fn json_is_encoded_where_that_means_the_same() {
        let check = |text: &str, want: &str| assert_eq!(json_text(text, 0), want, "{text}");
        check(
            r#"{ "a": [ {"prefix": "x"} ], "b": ["y", 1, 0.5, null] }"#,
            "jsonencode({\n  \"a\" = [\n    {\n      \"prefix\" = \"x\"\n    },\n  ]\n  \"b\" = [\"y\", 1, 0.5, null]\n})",
        );
        check("[]", "jsonencode([])");
        check("{}", "jsonencode({})");
        // A key twice, numbers that HCL might write otherwise, a letter that is escaped, no JSON.
        check(r#"{"a":[1],"a":[2]}"#, r#""{\"a\":[1],\"a\":[2]}""#);
        check("[1e3]", "\"[1e3]\"");
        check("[12345678901234567890]", "\"[12345678901234567890]\"");
        check(r#"["\u0041"]"#, r#""[\"\\u0041\"]""#);
        check("{", "\"{\"");
    }

    #[test]
    fn blocks_are_formatted() {
        let text = |text: &str| Value::Text(text.to_owned());
        let block = Block {
            keyword: "resource",
            labels: vec!["a_b".to_owned(), "c".to_owned()],
            attributes: vec![
                ("id", text("x")),
                ("longer", Value::Number(3)),
                (
                    "inner",
                    Value::Object(vec![("on", Value::Bool(true)), ("name", text("y"))]),
                ),
                ("z", Value::Expression("a.b.c".to_owned())),
                (
                    "tags",
                    Value::Map(vec![("k 1".to_owned(), text("v")), ("key".to_owned(), text("w"))]),
                ),
                (
                    "depends_on",
                    Value::List(vec![Value::Expression("d.e".to_owned())]),
                ),
                ("none", Value::Map(vec![])),
            ],
        };
        let want = r#"resource "a_b" "c" {
  id     = "x"
  longer = 3
  inner = {
    on   = true
    name = "y"
  }
  z = a.b.c
  tags = {
    "k 1" = "v"
    "key" = "w"
  }
  depends_on = [
    d.e,
  ]
  none = {}
}
"#;
        assert_eq!(block.text(), want);
    }
}
