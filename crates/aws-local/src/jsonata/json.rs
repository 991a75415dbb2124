//! JSON to values and back. Members keep their order, which a map of serde_json's would not.

use std::rc::Rc;

use super::error::{Failure, error};
use super::meter::Meter;
use super::number;
use super::value::{Items, Members, Value, Written};

/// Levels that a text may have; each costs stack.
const LEVELS_MAX: usize = 256;

/// Reads one JSON text.
pub(super) fn read(meter: &Rc<Meter>, text: &str) -> Result<Value, Failure> {
    let mut reader = Reader {
        meter,
        text,
        at: 0,
        levels: 0,
    };
    let value = reader.value()?;
    reader.blank();
    if reader.at < text.len() {
        return Err(reader.wrong("more text after the JSON value"));
    }
    Ok(value)
}

struct Reader<'t> {
    meter: &'t Rc<Meter>,
    text: &'t str,
    at: usize,
    levels: usize,
}

impl Reader<'_> {
    fn wrong(&self, what: &str) -> Failure {
        error(
            "D3120",
            format!("the text is not JSON: {what} at byte {}", self.at),
        )
    }

    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        while matches!(self.next(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn took(&mut self, byte: u8) -> bool {
        self.blank();
        let there = self.next() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self) -> Result<Value, Failure> {
        self.meter.work(1)?;
        self.blank();
        match self.next() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => {
                let text = self.string()?;
                Value::text(self.meter, text)
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Failure>) -> Result<Value, Failure> {
        self.at += 1;
        self.levels += 1;
        if self.levels > LEVELS_MAX {
            return Err(self.wrong("more than 256 levels"));
        }
        let value = read(self)?;
        self.levels -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, Failure> {
        let mut members = Members::new(self.meter)?;
        if self.took(b'}') {
            return members.finish();
        }
        loop {
            self.blank();
            if self.next() != Some(b'"') {
                return Err(self.wrong("no name of a member"));
            }
            let name = self.string()?;
            if !self.took(b':') {
                return Err(self.wrong("no colon"));
            }
            let value = self.value()?;
            if let Value::Text(name) = Value::text(self.meter, name)? {
                members.set(name, value)?;
            }
            if self.took(b'}') {
                return members.finish();
            }
            if !self.took(b',') {
                return Err(self.wrong("no comma"));
            }
        }
    }

    fn array(&mut self) -> Result<Value, Failure> {
        let mut items = Items::new(self.meter)?;
        if self.took(b']') {
            return Ok(Value::Array(items.array()?));
        }
        loop {
            items.push(self.value()?)?;
            if self.took(b']') {
                return Ok(Value::Array(items.array()?));
            }
            if !self.took(b',') {
                return Err(self.wrong("no comma"));
            }
        }
    }

    fn string(&mut self) -> Result<String, Failure> {
        let from = self.at;
        let mut escaped = false;
        for (index, byte) in self.text.as_bytes().iter().enumerate().skip(from + 1) {
            if *byte == b'"' && !escaped {
                let quoted = &self.text[from..=index];
                self.meter.read(quoted.len())?;
                let text =
                    serde_json::from_str(quoted).map_err(|_| self.wrong("a text with a wrong escape"))?;
                self.at = index + 1;
                return Ok(text);
            }
            escaped = *byte == b'\\' && !escaped;
        }
        Err(self.wrong("a text without an end"))
    }

    fn number(&mut self) -> Result<Value, Failure> {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|letter: char| !matches!(letter, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        let digits = rest[..end].trim_start_matches('-');
        let zeros = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
        let number = number::parse(&rest[..end]).filter(|_| !zeros && !digits.ends_with('.'));
        let number = number.ok_or_else(|| self.wrong("a wrong number"))?;
        self.at += end;
        Ok(Value::Number(number))
    }

    fn word(&mut self) -> Result<Value, Failure> {
        for (word, value) in [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
        ] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.wrong("no value"))
    }
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// The result: numbers with all their digits.
    Output,
    /// `$string`: numbers with 15 digits.
    Text,
    /// `$string(…, true)`
    Indented,
}

/// Appends the value as JSON.
pub(super) fn write(
    meter: &Rc<Meter>,
    value: &Value,
    style: Style,
    out: &mut Written,
) -> Result<(), Failure> {
    put(meter, value, style, 1, out)
}

fn put(
    meter: &Rc<Meter>,
    value: &Value,
    style: Style,
    level: usize,
    out: &mut Written,
) -> Result<(), Failure> {
    meter.work(1)?;
    match value {
        Value::Undefined | Value::Null | Value::Tuples(_) => out.push("null"),
        Value::Bool(value) => out.push(if *value { "true" } else { "false" }),
        Value::Number(_) if !value.is_number()? => out.push("null"),
        Value::Number(number) if style == Style::Output => out.push(&number::written(*number)),
        Value::Number(number) => out.push(&number::written(number::rounded(*number))),
        Value::Text(text) => quote(meter, text, out),
        Value::Function(_) => out.push("\"\""),
        Value::Array(array) => {
            out.push("[")?;
            for (at, item) in array.iter().enumerate() {
                separate(at, style, level, out)?;
                put(meter, item, style, level + 1, out)?;
            }
            end(array.is_empty(), style, level, out)?;
            out.push("]")
        }
        Value::Object(object) => {
            out.push("{")?;
            let entries = object.entries().iter().filter(|(_, value)| !value.is_undefined());
            let mut empty = true;
            for (at, (key, value)) in entries.enumerate() {
                separate(at, style, level, out)?;
                quote(meter, key, out)?;
                out.push(if style == Style::Indented { ": " } else { ":" })?;
                put(meter, value, style, level + 1, out)?;
                empty = false;
            }
            end(empty, style, level, out)?;
            out.push("}")
        }
    }
}

fn separate(at: usize, style: Style, level: usize, out: &mut Written) -> Result<(), Failure> {
    if at > 0 {
        out.push(",")?;
    }
    line(style, level, out)
}

fn end(empty: bool, style: Style, level: usize, out: &mut Written) -> Result<(), Failure> {
    if empty {
        Ok(())
    } else {
        line(style, level - 1, out)
    }
}

fn line(style: Style, level: usize, out: &mut Written) -> Result<(), Failure> {
    if style != Style::Indented {
        return Ok(());
    }
    out.push("\n")?;
    for _ in 0..level {
        out.push("  ")?;
    }
    Ok(())
}

fn quote(meter: &Rc<Meter>, text: &str, out: &mut Written) -> Result<(), Failure> {
    meter.read(text.len())?;
    out.push("\"")?;
    let mut rest = text;
    while let Some(at) = rest.find(|letter: char| letter < ' ' || letter == '"' || letter == '\\') {
        out.push(&rest[..at])?;
        let letter = rest[at..].chars().next().unwrap_or_default();
        match letter {
            '"' => out.push("\\\"")?,
            '\\' => out.push("\\\\")?,
            '\n' => out.push("\\n")?,
            '\r' => out.push("\\r")?,
            '\t' => out.push("\\t")?,
            '\u{8}' => out.push("\\b")?,
            '\u{c}' => out.push("\\f")?,
            _ => out.push(&format!("\\u{:04x}", u32::from(letter)))?,
        }
        rest = &rest[at + 1..];
    }
    out.push(rest)?;
    out.push("\"")
}

/// The value as the language makes text of it.
pub(super) fn text_of(meter: &Rc<Meter>, value: &Value, style: Style) -> Result<Value, Failure> {
    match value {
        Value::Undefined | Value::Text(_) => Ok(value.clone()),
        Value::Function(_) => Ok(Value::constant("")),
        Value::Number(number) if !number.is_finite() => Err(error(
            "D3001",
            "a number that is infinite or none cannot be written",
        )),
        _ => {
            let mut out = Written::new(meter)?;
            write(meter, value, style, &mut out)?;
            Ok(out.finish())
        }
    }
}
