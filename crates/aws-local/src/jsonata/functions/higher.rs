//! Functions that call functions, for each item or member.

use std::rc::Rc;

use super::super::error::{Failure, error};
use super::super::host::{Arguments, Host};
use super::super::meter::Meter;
use super::super::number;
use super::super::value::{Array, Function, Items, Members, Object, Text, Value, text_order, truth};
use super::Entry;

pub(super) const FUNCTIONS: &[Entry] = &[
    ("map", "<af>", 2, map),
    ("filter", "<af>", 2, filter),
    ("single", "<af?>", 2, single),
    ("reduce", "<afj?:j>", 3, reduce),
    ("sort", "<af?:a>", 2, sort),
    ("each", "<o-f:a>", 2, each),
    ("sift", "<o-f?:o>", 2, sift),
];

type Called = Result<Value, Failure>;

/// Calls the function with the item, its place and the array, as far as it looks at them.
fn with_item(host: &dyn Host, function: &Function, array: &Array, at: usize) -> Called {
    let mut arguments = vec![array[at].clone()];
    let arity = host.arity(function);
    if arity >= 2 {
        arguments.push(Value::Number(number::from_count(at)));
    }
    if arity >= 3 {
        arguments.push(Value::Array(array.clone()));
    }
    host.apply(function, arguments)
}

fn with_member(host: &dyn Host, function: &Function, object: &Object, key: &Text, value: &Value) -> Called {
    let mut arguments = vec![value.clone()];
    let arity = host.arity(function);
    if arity >= 2 {
        arguments.push(Value::Text(key.clone()));
    }
    if arity >= 3 {
        arguments.push(Value::Object(object.clone()));
    }
    host.apply(function, arguments)
}

fn holds(host: &dyn Host, value: &Value) -> Result<bool, Failure> {
    Ok(truth(host.meter(), value)? == Some(true))
}

fn map(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let (Some(array), Some(function)) = (arguments.array(0), arguments.function(1)) else {
        return Ok(Value::Undefined);
    };
    let mut items = Items::new(host.meter())?;
    for at in 0..array.len() {
        let value = with_item(host, function, array, at)?;
        if !value.is_undefined() {
            items.push(value)?;
        }
    }
    Ok(Value::Array(items.sequence()?))
}

fn filter(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let (Some(array), Some(function)) = (arguments.array(0), arguments.function(1)) else {
        return Ok(Value::Undefined);
    };
    let mut items = Items::new(host.meter())?;
    for (at, item) in array.iter().enumerate() {
        if holds(host, &with_item(host, function, array, at)?)? {
            items.push(item.clone())?;
        }
    }
    Ok(Value::Array(items.sequence()?))
}

fn single(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(array) = arguments.array(0) else {
        return Ok(Value::Undefined);
    };
    let mut found = None;
    for (at, item) in array.iter().enumerate() {
        let fits = match arguments.function(1) {
            Some(function) => holds(host, &with_item(host, function, array, at)?)?,
            None => true,
        };
        if fits && found.is_some() {
            return Err(error("D3138", "`single` finds more than one item"));
        }
        if fits {
            found = Some(item.clone());
        }
    }
    found.ok_or_else(|| error("D3139", "`single` finds no item"))
}

fn reduce(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let (Some(array), Some(function)) = (arguments.array(0), arguments.function(1)) else {
        return Ok(Value::Undefined);
    };
    let arity = host.arity(function);
    if arity < 2 {
        return Err(error(
            "D3050",
            "the function given to `reduce` takes fewer than two arguments",
        ));
    }
    let mut items = array.iter().enumerate();
    let mut result = arguments.at(2).clone();
    if result.is_undefined()
        && let Some((_, first)) = items.next()
    {
        result = first.clone();
    }
    for (at, item) in items {
        let mut given = vec![result, item.clone()];
        if arity >= 3 {
            given.push(Value::Number(number::from_count(at)));
        }
        if arity >= 4 {
            given.push(Value::Array(array.clone()));
        }
        result = host.apply(function, given)?;
    }
    Ok(result)
}

fn sort(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(array) = arguments.array(0).filter(|array| array.len() > 1) else {
        return Ok(arguments.at(0).clone());
    };
    let meter = host.meter();
    let sorted = if let Some(function) = arguments.function(1) {
        merge_sort(meter, array.to_vec(), &mut |left: &Value, right: &Value| {
            let after = host.apply(function, vec![left.clone(), right.clone()])?;
            holds(host, &after)
        })?
    } else {
        let alike = |letter: char| array.iter().all(|item| item.letter() == letter);
        if !alike('n') && !alike('s') {
            let what = "`sort` without a function takes texts only, or numbers only";
            return Err(error("D3070", what));
        }
        merge_sort(meter, array.to_vec(), &mut |left: &Value, right: &Value| {
            Ok(match (left, right) {
                (Value::Number(left), Value::Number(right)) => left > right,
                (Value::Text(left), Value::Text(right)) => {
                    meter.read(left.len().min(right.len()))?;
                    text_order(left, right).is_gt()
                }
                _ => false,
            })
        })?
    };
    let mut items = Items::new(meter)?;
    items.extend(&sorted)?;
    Ok(Value::Array(items.array()?))
}

/// Sorts without changing the order of what is equal; `after` says whether the first comes after the second.
pub(in super::super) fn merge_sort<T: Clone>(
    meter: &Rc<Meter>,
    mut items: Vec<T>,
    after: &mut dyn FnMut(&T, &T) -> Result<bool, Failure>,
) -> Result<Vec<T>, Failure> {
    let _room = meter.hold(2 * items.len() * size_of::<T>())?;
    let mut width = 1;
    while width < items.len() {
        let mut merged = Vec::with_capacity(items.len());
        for pair in items.chunks(2 * width) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            while let (Some((first, left_rest)), Some((second, right_rest))) =
                (left.split_first(), right.split_first())
            {
                meter.work(1)?;
                if after(first, second)? {
                    merged.push(second.clone());
                    right = right_rest;
                } else {
                    merged.push(first.clone());
                    left = left_rest;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        items = merged;
        width *= 2;
    }
    Ok(items)
}

fn each(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let mut items = Items::new(host.meter())?;
    if let (Value::Object(object), Some(function)) = (arguments.at(0), arguments.function(1)) {
        for (key, value) in object.entries() {
            let value = with_member(host, function, object, key, value)?;
            if !value.is_undefined() {
                items.push(value)?;
            }
        }
    }
    Ok(Value::Array(items.sequence()?))
}

fn sift(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let (Value::Object(object), Some(function)) = (arguments.at(0), arguments.function(1)) else {
        return Ok(Value::Undefined);
    };
    let mut members = Members::new(host.meter())?;
    for (key, value) in object.entries() {
        if holds(host, &with_member(host, function, object, key, value)?)? {
            members.set(key.clone(), value.clone())?;
        }
    }
    if members.is_empty() {
        Ok(Value::Undefined)
    } else {
        members.finish()
    }
}
