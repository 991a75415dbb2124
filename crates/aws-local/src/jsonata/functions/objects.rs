//! Functions of objects, and of values of all kinds.

use std::rc::Rc;

use super::super::error::{Failure, error};
use super::super::host::{Arguments, Host};
use super::super::json::{Style, text_of};
use super::super::meter::Meter;
use super::super::value::{Array, Items, Members, Value, truth};
use super::Entry;

pub(super) const FUNCTIONS: &[Entry] = &[
    ("keys", "<x-:a<s>>", 1, keys),
    ("lookup", "<x-s:x>", 2, lookup),
    ("spread", "<x-:a<o>>", 1, spread),
    ("merge", "<a<o>:o>", 1, merge),
    ("exists", "<x:b>", 1, |_, arguments| {
        Ok(Value::Bool(!arguments.at(0).is_undefined()))
    }),
    ("boolean", "<x-:b>", 1, |host, arguments| {
        boolean(host, arguments, false)
    }),
    ("not", "<x-:b>", 1, |host, arguments| {
        boolean(host, arguments, true)
    }),
    ("type", "<x:s>", 1, |_, arguments| Ok(type_of(arguments.at(0)))),
    ("error", "<s?:x>", 1, raise),
    ("assert", "<bs?:x>", 2, assert),
    ("clone", "<(oa)-:o>", 1, clone),
];

type Called = Result<Value, Failure>;

/// The member of that name, of each object in an array.
pub(in super::super) fn member(meter: &Rc<Meter>, value: &Value, name: &str) -> Called {
    match value {
        Value::Object(object) => Ok(object.get(name).cloned().unwrap_or(Value::Undefined)),
        Value::Array(array) => Ok(Value::Array(members_of(meter, array, name)?)),
        _ => Ok(Value::Undefined),
    }
}

fn members_of(meter: &Rc<Meter>, array: &Array, name: &str) -> Result<Array, Failure> {
    let mut found = Items::new(meter)?;
    for item in array.iter() {
        meter.work(1)?;
        match member(meter, item, name)? {
            Value::Undefined => {}
            value => found.append(&value)?,
        }
    }
    found.sequence()
}

fn lookup(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    member(
        host.meter(),
        arguments.at(0),
        arguments.text(1).unwrap_or_default(),
    )
}

fn keys(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let mut known = Members::new(host.meter())?;
    collect_keys(host.meter(), arguments.at(0), &mut known)?;
    let mut items = Items::new(host.meter())?;
    if let Value::Object(known) = known.finish()? {
        for (key, _) in known.entries() {
            items.push(Value::Text(key.clone()))?;
        }
    }
    Ok(Value::Array(items.sequence()?))
}

fn collect_keys(meter: &Rc<Meter>, value: &Value, known: &mut Members) -> Result<(), Failure> {
    meter.work(1)?;
    match value {
        Value::Object(object) => {
            for (key, _) in object.entries() {
                known.set(key.clone(), Value::Null)?;
            }
        }
        Value::Array(array) => {
            for item in array.iter() {
                collect_keys(meter, item, known)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn spread(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    match arguments.at(0) {
        value @ (Value::Array(_) | Value::Object(_)) => {
            let mut items = Items::new(host.meter())?;
            spread_into(host.meter(), value, &mut items)?;
            let single = !matches!(value, Value::Array(array) if !array.is_empty());
            Ok(Value::Array(if single {
                items.sequence()?
            } else {
                items.array()?
            }))
        }
        other => Ok(other.clone()),
    }
}

fn spread_into(meter: &Rc<Meter>, value: &Value, items: &mut Items) -> Result<(), Failure> {
    meter.work(1)?;
    match value {
        Value::Array(array) => array.iter().try_for_each(|item| spread_into(meter, item, items)),
        Value::Object(object) => object.entries().iter().try_for_each(|(key, value)| {
            let mut members = Members::new(meter)?;
            members.set(key.clone(), value.clone())?;
            items.push(members.finish()?)
        }),
        other => items.push(other.clone()),
    }
}

fn merge(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(array) = arguments.array(0) else {
        return Ok(Value::Undefined);
    };
    let mut members = Members::new(host.meter())?;
    for item in array.iter() {
        if let Value::Object(object) = item {
            host.meter().work(1 + object.entries().len() / 4)?;
            for (key, value) in object.entries() {
                members.set(key.clone(), value.clone())?;
            }
        }
    }
    members.finish()
}

fn boolean(host: &dyn Host, arguments: Arguments<'_>, negated: bool) -> Called {
    let value = truth(host.meter(), arguments.at(0))?;
    Ok(value.map_or(Value::Undefined, |value| Value::Bool(value != negated)))
}

fn type_of(value: &Value) -> Value {
    Value::constant(match value {
        Value::Undefined => return Value::Undefined,
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::Text(_) => "string",
        Value::Array(_) | Value::Tuples(_) => "array",
        Value::Object(_) => "object",
        Value::Function(_) => "function",
    })
}

/// What the expression itself says is wrong, cut to a length that fits into a failure record.
fn said(arguments: Arguments<'_>, index: usize, otherwise: &str) -> String {
    let text = arguments.text(index).filter(|text| !text.is_empty());
    text.unwrap_or(otherwise).chars().take(1000).collect()
}

fn raise(_: &dyn Host, arguments: Arguments<'_>) -> Called {
    Err(error("D3137", said(arguments, 0, "$error() function evaluated")))
}

fn assert(_: &dyn Host, arguments: Arguments<'_>) -> Called {
    if matches!(arguments.at(0), Value::Bool(true)) {
        return Ok(Value::Undefined);
    }
    Err(error("D3141", said(arguments, 1, "$assert() statement failed")))
}

fn clone(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    match text_of(host.meter(), arguments.at(0), Style::Text)? {
        Value::Text(text) => super::super::json::read(host.meter(), &text),
        other => Ok(other),
    }
}
