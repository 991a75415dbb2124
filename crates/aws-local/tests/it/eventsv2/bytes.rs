//! CBOR as clients of RPC with CBOR write and read it, in each form that one of them has. It shares no code with the server.

use minicbor::data::{Tag, Type};
use minicbor::{Decoder, Encoder};
use serde_json::{Map, Value, json};

/// How a client writes what can be written in several ways.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// Lengths before maps and lists; whole seconds as integers (Python).
    Counted,
    /// Maps that end with a break; times as floats (Rust).
    OpenMaps,
    /// Lists, texts and bytes that end with a break, too.
    AllOpen,
}

/// The service's model, as it was reduced for the server.
#[derive(Clone, Copy)]
pub(super) struct Model<'m>(pub(super) &'m Value);

impl<'m> Model<'m> {
    pub(super) fn shape(self, name: &str) -> &'m Value {
        &self.0["shapes"][name]
    }

    /// The name of the shape of an operation's input or output.
    pub(super) fn of(self, side: &str, operation: &str) -> Option<&'m str> {
        self.0[side][operation].as_str()
    }

    /// An input as a client writes it that has the model.
    pub(super) fn write(self, shape: &str, value: &Value, form: Form) -> Vec<u8> {
        let mut out = Vec::new();
        let written = self.put(shape, value, form, &mut Encoder::new(&mut out));
        written.unwrap();
        out
    }

    fn put(self, shape: &str, value: &Value, form: Form, out: &mut Encoder<&mut Vec<u8>>) -> Written {
        let of = self.shape(shape);
        let below = |part: &str| of[part].as_str().unwrap_or_default();
        match (of["type"].as_str().unwrap_or_default(), value) {
            (_, Value::Null) => {
                out.null()?;
            }
            ("structure", Value::Object(members)) => {
                self.put_map(members, form, out, |name| {
                    of["members"][name].as_str().unwrap_or_default()
                })?;
            }
            ("map", Value::Object(members)) => self.put_map(members, form, out, |_| below("value"))?,
            (_, Value::Array(items)) => {
                let is_open = matches!(form, Form::AllOpen);
                if is_open {
                    out.begin_array()?;
                } else {
                    out.array(items.len() as u64)?;
                }
                for item in items {
                    self.put(below("of"), item, form, out)?;
                }
                if is_open {
                    out.end()?;
                }
            }
            ("timestamp", time) => put_time(time, form, out)?,
            ("blob", Value::String(bytes)) => put_bytes(bytes.as_bytes(), form, out)?,
            (_, Value::String(text)) => put_text(text, form, out)?,
            (_, Value::Bool(flag)) => {
                out.bool(*flag)?;
            }
            (_, Value::Number(number)) => {
                out.i64(number.as_i64().unwrap())?;
            }
            (kind, other) => panic!("{shape} is a {kind}, not {other}"),
        }
        Ok(())
    }

    fn put_map<'s>(
        self,
        members: &Map<String, Value>,
        form: Form,
        out: &mut Encoder<&mut Vec<u8>>,
        shape: impl Fn(&str) -> &'s str,
    ) -> Written {
        let is_open = !matches!(form, Form::Counted);
        if is_open {
            out.begin_map()?;
        } else {
            out.map(members.len() as u64)?;
        }
        for (name, value) in members {
            out.str(name)?;
            self.put(shape(name), value, form, out)?;
        }
        if is_open {
            out.end()?;
        }
        Ok(())
    }

    /// What of a value is not as its shape has it: what a generated client would lose, or stumble over.
    pub(super) fn faults(self, shape: &str, value: &Value, at: &str) -> Vec<String> {
        let of = self.shape(shape);
        let kind = of["type"].as_str().unwrap_or_default();
        let wrong = |what: &str| vec![format!("{at}: {what} (a {kind}): {value}")];
        match (kind, value) {
            ("structure", Value::Object(members)) => self.faults_of_members(of, members, at),
            ("map", Value::Object(members)) => members
                .iter()
                .flat_map(|(name, value)| {
                    self.faults(of["value"].as_str().unwrap(), value, &format!("{at}.{name}"))
                })
                .collect(),
            ("list", Value::Array(items)) => items
                .iter()
                .flat_map(|item| self.faults(of["of"].as_str().unwrap(), item, &format!("{at}[]")))
                .collect(),
            ("timestamp", time) if time["time"].is_number() => Vec::new(),
            ("blob", bytes) if bytes["bytes"].is_string() => Vec::new(),
            ("string", Value::String(text)) => faults_of_text(of, text, at),
            ("boolean", Value::Bool(_)) => Vec::new(),
            ("integer" | "long", Value::Number(number)) if number.is_i64() => {
                let number = number.as_i64().unwrap();
                let is_within = of["min"].as_i64().is_none_or(|min| number >= min)
                    && of["max"].as_i64().is_none_or(|max| number <= max);
                if is_within {
                    Vec::new()
                } else {
                    wrong("out of range")
                }
            }
            _ => wrong("of another kind"),
        }
    }

    fn faults_of_members(self, of: &Value, members: &Map<String, Value>, at: &str) -> Vec<String> {
        let known = &of["members"];
        let required = of["required"].as_array().into_iter().flatten();
        let mut found: Vec<String> = required
            .filter(|name| !members.contains_key(name.as_str().unwrap()))
            .map(|name| format!("{at}.{name} is missing"))
            .collect();
        if of["union"] == true && members.len() != 1 {
            found.push(format!("{at}: {} variants of a union", members.len()));
        }
        for (name, value) in members {
            let at = format!("{at}.{name}");
            match known[name].as_str() {
                Some(shape) => found.extend(self.faults(shape, value, &at)),
                None => found.push(format!("{at} is not in the model")),
            }
        }
        found
    }
}

fn faults_of_text(of: &Value, text: &str, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    let allowed = of["enum"].as_array();
    if allowed.is_some_and(|allowed| !allowed.iter().any(|one| one == text)) {
        found.push(format!("{at}: {text} is not one of {allowed:?}"));
    }
    let length = text.chars().count() as u64;
    if of["min"].as_u64().is_some_and(|min| length < min)
        || of["max"].as_u64().is_some_and(|max| length > max)
    {
        found.push(format!("{at}: {length} characters"));
    }
    if let Some(pattern) = of["rust"].as_str().or(of["pattern"].as_str()) {
        let pattern = regex::Regex::new(&format!("^(?s:{pattern})$")).unwrap();
        if !pattern.is_match(text) {
            found.push(format!("{at}: {text} does not match {pattern}"));
        }
    }
    found
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn put_time(seconds: &Value, form: Form, out: &mut Encoder<&mut Vec<u8>>) -> Written {
    out.tag(Tag::new(1))?;
    match (form, seconds.as_i64()) {
        (Form::Counted, Some(whole)) => out.i64(whole)?,
        _ => out.f64(seconds.as_f64().unwrap())?,
    };
    Ok(())
}

/// Text in two pieces, where it may have a break.
fn put_text(text: &str, form: Form, out: &mut Encoder<&mut Vec<u8>>) -> Written {
    if !matches!(form, Form::AllOpen) {
        out.str(text)?;
        return Ok(());
    }
    let middle = text.char_indices().nth(text.chars().count() / 2);
    let (first, second) = text.split_at(middle.map_or(0, |(at, _)| at));
    out.begin_str()?.str(first)?.str(second)?.end()?;
    Ok(())
}

fn put_bytes(bytes: &[u8], form: Form, out: &mut Encoder<&mut Vec<u8>>) -> Written {
    if !matches!(form, Form::AllOpen) {
        out.bytes(bytes)?;
        return Ok(());
    }
    let (first, second) = bytes.split_at(bytes.len() / 2);
    out.begin_bytes()?.bytes(first)?.bytes(second)?.end()?;
    Ok(())
}

/// Reads an answer as the strictest client does: one map of known length and nothing behind it, keys once each. A time becomes
/// `{"time": SECONDS}`, and bytes `{"bytes": TEXT}`.
pub(super) fn read(bytes: &[u8]) -> Value {
    let mut from = Decoder::new(bytes);
    let value = take(&mut from);
    assert_eq!(from.position(), bytes.len(), "bytes behind the answer: {value}");
    assert!(value.is_object(), "{value}");
    value
}

fn take(from: &mut Decoder<'_>) -> Value {
    match from.datatype().unwrap() {
        Type::Bool => json!(from.bool().unwrap()),
        Type::String => json!(from.str().unwrap()),
        Type::Bytes => json!({ "bytes": String::from_utf8_lossy(from.bytes().unwrap()) }),
        Type::F64 => json!(from.f64().unwrap()),
        Type::Tag => {
            assert_eq!(from.tag().unwrap(), Tag::new(1));
            let seconds = take(from);
            assert!(seconds.is_number(), "{seconds}");
            json!({ "time": seconds })
        }
        Type::Array => {
            let length = from.array().unwrap().unwrap();
            (0..length).map(|_| take(from)).collect()
        }
        Type::Map => {
            let length = from.map().unwrap().unwrap();
            let mut members = Map::new();
            for _ in 0..length {
                let name = from.str().unwrap().to_owned();
                let value = take(from);
                assert!(members.insert(name, value).is_none(), "a key is there twice");
            }
            Value::Object(members)
        }
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => json!(from.u64().unwrap()),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => json!(from.i64().unwrap()),
        other => panic!("{other} is in no answer: clients differ in how they read it"),
    }
}
