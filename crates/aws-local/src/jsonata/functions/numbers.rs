//! Functions of numbers.

#![expect(clippy::unnecessary_wraps, reason = "all functions have one form")]

use super::super::error::{Failure, error};
use super::super::host::{Arguments, Host, fraction, random as dice};
use super::super::number;
use super::super::value::Value;
use super::Entry;
use super::picture::WHOLE_MAX;
use crate::clock::Dice;

pub(super) const FUNCTIONS: &[Entry] = &[
    ("number", "<(nsb)-:n>", 1, to_number),
    ("abs", "<n-:n>", 1, |_, arguments| Ok(of(arguments, f64::abs))),
    ("floor", "<n-:n>", 1, |_, arguments| Ok(of(arguments, f64::floor))),
    ("ceil", "<n-:n>", 1, |_, arguments| Ok(of(arguments, f64::ceil))),
    ("round", "<n-n?:n>", 2, round),
    ("sqrt", "<n-:n>", 1, sqrt),
    ("power", "<n-n:n>", 2, power),
    ("random", "<n?:n>", 0, random),
    ("sum", "<a<n>:n>", 1, sum),
    ("max", "<a<n>:n>", 1, max),
    ("min", "<a<n>:n>", 1, min),
    ("average", "<a<n>:n>", 1, average),
    ("formatBase", "<n-n?:s>", 2, format_base),
];

type Called = Result<Value, Failure>;

fn of(arguments: Arguments<'_>, make: fn(f64) -> f64) -> Value {
    arguments
        .number(0)
        .map_or(Value::Undefined, |number| Value::Number(make(number)))
}

fn to_number(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let number = match arguments.at(0) {
        Value::Undefined => return Ok(Value::Undefined),
        Value::Number(number) => Some(*number),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Text(text) => {
            host.meter().read(text.len())?;
            read(text)
        }
        _ => None,
    };
    match (number, arguments.text(0)) {
        (Some(number), _) => Ok(Value::Number(number)),
        (None, Some(text)) => {
            let shown: String = text.chars().take(50).collect();
            Err(error("D3030", format!("{shown:?} is no number")))
        }
        (None, None) => Err(error("D3030", format!("{} is no number", arguments.at(0).what()))),
    }
}

/// Decimal digits with a fraction and an exponent, or whole numbers behind `0x`, `0o` and `0b`.
fn read(text: &str) -> Option<f64> {
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = text.to_lowercase().strip_prefix(prefix) {
            return u64::from_str_radix(digits, radix)
                .ok()
                .filter(|_| !digits.starts_with('+'))
                .and_then(|whole| number::parse(&whole.to_string()));
        }
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let starts = digits.starts_with(|letter: char| letter.is_ascii_digit());
    let ends = digits.ends_with(|letter: char| letter.is_ascii_digit());
    let whole = digits
        .split(['e', 'E'])
        .next()
        .is_some_and(|whole| !whole.ends_with('.'));
    let plain = digits
        .chars()
        .all(|letter| letter.is_ascii_digit() || ".eE+-".contains(letter));
    (starts && ends && whole && plain)
        .then(|| number::parse(text))
        .flatten()
}

fn round(_: &dyn Host, arguments: Arguments<'_>) -> Called {
    let places = number::whole(arguments.number(1).unwrap_or_default()).clamp(-400, 400);
    Ok(match arguments.number(0) {
        Some(value) => Value::Number(number::round(value, i32::try_from(places).unwrap_or_default())),
        None => Value::Undefined,
    })
}

fn sqrt(_: &dyn Host, arguments: Arguments<'_>) -> Called {
    match arguments.number(0) {
        Some(number) if number < 0.0 => Err(error("D3060", "`sqrt` is given a number below 0")),
        _ => Ok(of(arguments, f64::sqrt)),
    }
}

fn power(_: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(base) = arguments.number(0) else {
        return Ok(Value::Undefined);
    };
    let result = arguments
        .number(1)
        .map_or(f64::NAN, |exponent| base.powf(exponent));
    if result.is_finite() {
        return Ok(Value::Number(result));
    }
    Err(error(
        "D3061",
        "the result of `power` is beyond what can be written",
    ))
}

/// AWS's takes a seed: the same seed gives the same number.
fn random(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    Ok(Value::Number(match arguments.number(0) {
        Some(seed) => fraction(Dice::new(seed.to_bits()).roll()),
        None => dice(host),
    }))
}

/// The numbers of the first argument, where there is at least one.
fn numbers(host: &dyn Host, arguments: Arguments<'_>) -> Result<Option<Vec<f64>>, Failure> {
    let Some(array) = arguments.array(0) else {
        return Ok(None);
    };
    host.meter().work(array.len() / 4)?;
    let numbers = array.iter().filter_map(|item| match item {
        Value::Number(number) => Some(*number),
        _ => None,
    });
    Ok(Some(numbers.collect()))
}

fn sum(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let numbers = numbers(host, arguments)?;
    Ok(numbers.map_or(Value::Undefined, |numbers| Value::Number(total(&numbers))))
}

fn total(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |total, number| total + number)
}

fn max(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let numbers = numbers(host, arguments)?.unwrap_or_default();
    Ok(numbers
        .into_iter()
        .reduce(f64::max)
        .map_or(Value::Undefined, Value::Number))
}

fn min(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let numbers = numbers(host, arguments)?.unwrap_or_default();
    Ok(numbers
        .into_iter()
        .reduce(f64::min)
        .map_or(Value::Undefined, Value::Number))
}

fn average(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let numbers = numbers(host, arguments)?.unwrap_or_default();
    if numbers.is_empty() {
        return Ok(Value::Undefined);
    }
    Ok(Value::Number(total(&numbers) / number::from_count(numbers.len())))
}

fn format_base(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(value) = arguments.number(0) else {
        return Ok(Value::Undefined);
    };
    let radix = arguments.number(1).map_or(10.0, |radix| number::round(radix, 0));
    if !(2.0..=36.0).contains(&radix) {
        return Err(error("D3100", "the base of `formatBase` is not between 2 and 36"));
    }
    let value = number::round(value, 0);
    if value.abs() > WHOLE_MAX {
        return Err(error(
            "D3100",
            "`formatBase` writes numbers up to 9,007,199,254,740,991",
        ));
    }
    let radix = u32::try_from(number::whole(radix)).unwrap_or(10);
    let mut left = number::whole(value).unsigned_abs();
    let mut digits = Vec::new();
    while left > 0 || digits.is_empty() {
        let digit = u32::try_from(left % u64::from(radix)).unwrap_or_default();
        digits.push(char::from_digit(digit, radix).unwrap_or('0'));
        left /= u64::from(radix);
    }
    if value < 0.0 {
        digits.push('-');
    }
    Value::text(host.meter(), digits.into_iter().rev().collect())
}
