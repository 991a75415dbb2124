//! Functions that look for texts and patterns in a text.

use std::rc::Rc;

use super::super::error::{Failure, error};
use super::super::host::{Arguments, Host};
use super::super::meter::Meter;
use super::super::number;
use super::super::pattern::Pattern;
use super::super::value::{Function, Items, Members, Text, Value, Written};
use super::Entry;

pub(super) const FUNCTIONS: &[Entry] = &[
    ("match", "<s-f<s:o>n?:a<o>>", 3, matches),
    ("contains", "<s-(sf):b>", 2, contains),
    ("replace", "<s-(sf)(sf)n?:s>", 4, replace),
    ("split", "<s-(sf)n?:a<s>>", 3, split),
];

type Called = Result<Value, Failure>;

/// A part of the text that a pattern matched.
struct Found<'t> {
    from: usize,
    to: usize,
    groups: Vec<Option<&'t str>>,
}

/// The pattern of an argument; functions of one's own are no patterns here.
fn pattern<'a>(arguments: &Arguments<'a>, index: usize) -> Result<&'a Pattern, Failure> {
    match arguments.function(index) {
        Some(Function::Regex(pattern)) => Ok(pattern),
        _ => Err(error(
            "T1010",
            format!("argument {} has to be a regular expression", index + 1),
        )),
    }
}

/// How many matches are wanted.
fn limit(arguments: &Arguments<'_>, index: usize, code: &'static str) -> Result<usize, Failure> {
    match arguments.number(index) {
        Some(limit) if limit < 0.0 => Err(error(code, format!("argument {} is below 0", index + 1))),
        Some(limit) => Ok(usize::try_from(number::whole(limit.ceil())).unwrap_or(usize::MAX)),
        None => Ok(usize::MAX),
    }
}

/// Calls `each` for each match; one of no letters after the first would go on for ever in the language, and is refused.
fn each_match<'t>(
    meter: &Meter,
    pattern: &Pattern,
    text: &'t str,
    limit: usize,
    mut each: impl FnMut(Found<'t>) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    let mut count = 0;
    let mut from = 0;
    while count < limit && from <= text.len() {
        let Some(captures) = pattern.regex.captures_at(text, from) else {
            meter.work(pattern.steps(text.len() - from, 0))?;
            break;
        };
        let Some(whole) = captures.get(0) else { break };
        meter.work(pattern.steps(whole.end() - from, text.len() - from))?;
        meter.work(captures.len())?;
        if whole.is_empty() && count > 0 {
            return Err(error(
                "D1004",
                format!("/{}/ matches the empty text", pattern.source),
            ));
        }
        each(Found {
            from: whole.start(),
            to: whole.end(),
            groups: captures
                .iter()
                .skip(1)
                .map(|group| group.map(|group| group.as_str()))
                .collect(),
        })?;
        count += 1;
        from = whole.end();
        if from >= text.len() {
            break;
        }
    }
    Ok(count)
}

fn matches(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(text) = arguments.text(0) else {
        return Ok(Value::Undefined);
    };
    let (pattern, limit) = (pattern(&arguments, 1)?, limit(&arguments, 2, "D3040")?);
    let meter = host.meter();
    let mut items = Items::new(meter)?;
    let mut place = Place::new(text);
    each_match(meter, pattern, text, limit, |found| {
        let mut members = Members::new(meter)?;
        members.set(
            key("match"),
            Value::text(meter, text[found.from..found.to].to_owned())?,
        )?;
        members.set(key("index"), Value::Number(place.of(meter, found.from)?))?;
        members.set(key("groups"), groups(meter, &found)?)?;
        items.push(members.finish()?)
    })?;
    Ok(Value::Array(items.sequence()?))
}

fn key(name: &str) -> Text {
    Text::Constant(name.into())
}

fn groups(meter: &Rc<Meter>, found: &Found<'_>) -> Called {
    let mut groups = Items::new(meter)?;
    for group in &found.groups {
        groups.push(match group {
            Some(group) => Value::text(meter, (*group).to_owned())?,
            None => Value::Undefined,
        })?;
    }
    Ok(Value::Array(groups.array()?))
}

/// Bytes to UTF-16 units, which the language counts by, from left to right.
struct Place<'t> {
    text: &'t str,
    byte: usize,
    units: usize,
}

impl<'t> Place<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            byte: 0,
            units: 0,
        }
    }

    fn of(&mut self, meter: &Meter, byte: usize) -> Result<f64, Failure> {
        meter.read(byte - self.byte)?;
        self.units += self.text[self.byte..byte].encode_utf16().count();
        self.byte = byte;
        Ok(number::from_count(self.units))
    }
}

/// `/pattern/(text)`: the first match as an object.
pub(in super::super) fn first_match(host: &dyn Host, pattern: &Pattern, arguments: &[Value]) -> Called {
    let Some(text) = Arguments(arguments).text(0) else {
        return Ok(Value::Undefined);
    };
    let meter = host.meter();
    let mut result = Value::Undefined;
    let mut place = Place::new(text);
    each_match(meter, pattern, text, 1, |found| {
        let mut members = Members::new(meter)?;
        members.set(
            key("match"),
            Value::text(meter, text[found.from..found.to].to_owned())?,
        )?;
        members.set(key("start"), Value::Number(place.of(meter, found.from)?))?;
        members.set(key("end"), Value::Number(place.of(meter, found.to)?))?;
        members.set(key("groups"), groups(meter, &found)?)?;
        result = members.finish()?;
        Ok(())
    })?;
    Ok(result)
}

fn contains(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(text) = arguments.text(0) else {
        return Ok(Value::Undefined);
    };
    host.meter().read(text.len())?;
    match arguments.at(1) {
        Value::Undefined => Ok(Value::Undefined),
        Value::Text(part) => Ok(Value::Bool(text.contains(&**part))),
        _ => {
            let pattern = pattern(&arguments, 1)?;
            host.meter().work(pattern.steps(text.len(), 0))?;
            Ok(Value::Bool(pattern.regex.is_match(text)))
        }
    }
}

fn replace(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(text) = arguments.text(0) else {
        return Ok(Value::Undefined);
    };
    let limit = limit(&arguments, 3, "D3011")?;
    let meter = host.meter();
    let mut out = Written::new(meter)?;
    let mut rest = 0;
    if let Some(part) = arguments.text(1) {
        if part.is_empty() {
            return Err(error("D3010", "argument 2 of `replace` is the empty text"));
        }
        let Some(replacement) = arguments.text(2) else {
            return Err(error(
                "D3012",
                "`replace` puts texts in the place of a text, not the result of a function",
            ));
        };
        for (from, found) in text.match_indices(part).take(limit) {
            meter.read(from - rest + replacement.len())?;
            out.push(&text[rest..from])?;
            out.push(replacement)?;
            rest = from + found.len();
        }
    } else {
        let pattern = pattern(&arguments, 1)?;
        each_match(meter, pattern, text, limit, |found| {
            out.push(&text[rest..found.from])?;
            substitute(host, arguments, text, &found, &mut out)?;
            rest = found.to;
            Ok(())
        })?;
    }
    meter.read(text.len() - rest)?;
    out.push(&text[rest..])?;
    Ok(out.finish())
}

/// What takes the place of a match.
fn substitute(
    host: &dyn Host,
    arguments: Arguments<'_>,
    text: &str,
    found: &Found<'_>,
    out: &mut Written,
) -> Result<(), Failure> {
    let meter = host.meter();
    if let Some(replacement) = arguments.text(2) {
        meter.read(replacement.len())?;
        return fill(replacement, &text[found.from..found.to], &found.groups, out);
    }
    let Some(function) = arguments.function(2) else {
        return Err(error("D3012", "argument 3 of `replace` is missing"));
    };
    let mut members = Members::new(meter)?;
    members.set(
        key("match"),
        Value::text(meter, text[found.from..found.to].to_owned())?,
    )?;
    members.set(
        key("start"),
        Value::Number(Place::new(text).of(meter, found.from)?),
    )?;
    members.set(key("end"), Value::Number(Place::new(text).of(meter, found.to)?))?;
    members.set(key("groups"), groups(meter, found)?)?;
    match host.apply(function, vec![members.finish()?])? {
        Value::Text(made) => out.push(&made),
        other => {
            let what = format!("the function given to `replace` makes {}, not text", other.what());
            Err(error("D3012", what))
        }
    }
}

/// The replacement with `$0`, `$1` … filled in; `$$` is a dollar.
fn fill(replacement: &str, whole: &str, groups: &[Option<&str>], out: &mut Written) -> Result<(), Failure> {
    let digits_max = groups.len().max(1).to_string().len();
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        out.push(before)?;
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push("$")?;
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix('0') {
            out.push(whole)?;
            rest = after;
            continue;
        }
        let digits = rest
            .bytes()
            .take(digits_max)
            .take_while(u8::is_ascii_digit)
            .count();
        let group = |digits: usize| rest[..digits].parse::<usize>().unwrap_or_default();
        let fits = |digits: &usize| *digits == 1 || group(*digits) <= groups.len();
        match (1..=digits).rev().find(fits) {
            Some(digits) => {
                if let Some(Some(group)) = group(digits).checked_sub(1).and_then(|place| groups.get(place)) {
                    out.push(group)?;
                }
                rest = &rest[digits..];
            }
            None => out.push("$")?,
        }
    }
    out.push(rest)
}

fn split(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(text) = arguments.text(0) else {
        return Ok(Value::Undefined);
    };
    let limit = limit(&arguments, 2, "D3020")?;
    let meter = host.meter();
    let mut items = Items::new(meter)?;
    match arguments.at(1) {
        Value::Text(separator) if separator.is_empty() => {
            for letter in text.chars().take(limit) {
                meter.work(1)?;
                items.push(Value::text(meter, letter.to_string())?)?;
            }
        }
        Value::Text(separator) => {
            for part in text.split(&**separator).take(limit) {
                meter.read(part.len() + separator.len())?;
                items.push(Value::text(meter, part.to_owned())?)?;
            }
        }
        Value::Undefined => items.push(arguments.at(0).clone())?,
        _ => {
            let mut rest = 0;
            let count = each_match(meter, pattern(&arguments, 1)?, text, limit, |found| {
                items.push(Value::text(meter, text[rest..found.from].to_owned())?)?;
                rest = found.to;
                Ok(())
            })?;
            if count < limit {
                items.push(Value::text(meter, text[rest..].to_owned())?)?;
            }
        }
    }
    Ok(Value::Array(items.array()?))
}
