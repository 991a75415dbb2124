//! Functions of arrays that call no other function.

#![expect(clippy::unnecessary_wraps, reason = "all functions have one form")]

use super::super::error::Failure;
use super::super::host::{Arguments, Host, random};
use super::super::number;
use super::super::value::{Items, Value, equal};
use super::Entry;

pub(super) const FUNCTIONS: &[Entry] = &[
    ("count", "<a:n>", 1, count),
    ("append", "<xx:a>", 2, append),
    ("reverse", "<a:a>", 1, reverse),
    ("shuffle", "<a:a>", 1, shuffle),
    ("distinct", "<x:x>", 1, distinct),
    ("zip", "<a+>", 0, zip),
];

type Called = Result<Value, Failure>;

fn count(_: &dyn Host, arguments: Arguments<'_>) -> Called {
    let count = arguments.array(0).map_or(0, |array| array.len());
    Ok(Value::Number(number::from_count(count)))
}

fn append(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let (first, second) = (arguments.at(0), arguments.at(1));
    if first.is_undefined() || second.is_undefined() {
        return Ok(if first.is_undefined() { second } else { first }.clone());
    }
    let mut items = Items::new(host.meter())?;
    items.append(first)?;
    items.append(second)?;
    host.meter().work(items.len() / 16)?;
    Ok(Value::Array(items.array()?))
}

fn reverse(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(array) = arguments.array(0).filter(|array| array.len() > 1) else {
        return Ok(arguments.at(0).clone());
    };
    host.meter().work(array.len() / 16)?;
    let mut items = Items::new(host.meter())?;
    for item in array.iter().rev() {
        items.push(item.clone())?;
    }
    Ok(Value::Array(items.array()?))
}

fn shuffle(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(array) = arguments.array(0).filter(|array| array.len() > 1) else {
        return Ok(arguments.at(0).clone());
    };
    host.meter().work(array.len())?;
    let mut shuffled = array.to_vec();
    for last in (1..shuffled.len()).rev() {
        let other = (random(host) * number::from_count(last + 1)).floor();
        shuffled.swap(last, usize::try_from(number::whole(other)).unwrap_or_default());
    }
    let mut items = Items::new(host.meter())?;
    items.extend(&shuffled)?;
    Ok(Value::Array(items.array()?))
}

fn distinct(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(array) = arguments.array(0).filter(|array| array.len() > 1) else {
        return Ok(arguments.at(0).clone());
    };
    let mut items = Items::new(host.meter())?;
    for item in array.iter() {
        let mut known = false;
        for other in items.items() {
            known = known || equal(host.meter(), item, other)?;
        }
        if !known {
            items.push(item.clone())?;
        }
    }
    let mut result = items.array()?;
    result.sequence = array.sequence;
    Ok(Value::Array(result))
}

fn zip(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let length = |value: &Value| match value {
        Value::Array(array) => array.len(),
        _ => 0,
    };
    let shortest = arguments.0.iter().map(length).min().unwrap_or(0);
    let mut zipped = Items::new(host.meter())?;
    for at in 0..shortest {
        host.meter().work(arguments.0.len())?;
        let mut together = Items::new(host.meter())?;
        for value in arguments.0 {
            if let Value::Array(array) = value {
                together.push(array[at].clone())?;
            }
        }
        zipped.push(Value::Array(together.array()?))?;
    }
    Ok(Value::Array(zipped.array()?))
}
