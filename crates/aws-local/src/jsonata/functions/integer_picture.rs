//! `$formatInteger` and `$parseInteger`.

use super::super::error::{Failure, error};
use super::super::host::{Arguments, Host};
use super::super::number;
use super::super::value::Value;
use super::Entry;
use super::picture::{Decimal, Form, Grouping, Picture, analyse, from_letters, from_roman};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("formatInteger", "<n-s:s>", 2, format_integer),
    ("parseInteger", "<s-s:n>", 2, parse_integer),
];

fn format_integer(host: &dyn Host, arguments: Arguments<'_>) -> Result<Value, Failure> {
    let (Some(value), Some(picture)) = (arguments.number(0), arguments.text(1)) else {
        return Ok(Value::Undefined);
    };
    host.meter().read(picture.len())?;
    Value::text(host.meter(), analyse(picture)?.format(value)?)
}

fn parse_integer(host: &dyn Host, arguments: Arguments<'_>) -> Result<Value, Failure> {
    let (Some(text), Some(picture)) = (arguments.text(0), arguments.text(1)) else {
        return Ok(Value::Undefined);
    };
    host.meter().read(text.len() + picture.len())?;
    Ok(parse(text, &analyse(picture)?)?.map_or(Value::Undefined, Value::Number))
}

/// The number that a text of this picture is.
pub(super) fn parse(text: &str, picture: &Picture) -> Result<Option<f64>, Failure> {
    Ok(match &picture.form {
        Form::Letters => Some(from_letters(text)),
        Form::Roman => Some(from_roman(text)),
        Form::Words => return Err(error("D3130", "numbers in words can be written here, not read")),
        Form::Decimal(decimal) => digits(text, decimal, picture.ordinal),
    })
}

fn digits(text: &str, decimal: &Decimal, ordinal: bool) -> Option<f64> {
    let mut text = text;
    if ordinal {
        let end = text.char_indices().rev().nth(1).map_or(0, |(at, _)| at);
        text = &text[..end];
    }
    let separator = |letter: char| match &decimal.grouping {
        Grouping::Every(_, sign) => letter == *sign,
        Grouping::At(places) => places.iter().any(|(_, sign)| letter == *sign),
    };
    let digits = text
        .chars()
        .filter(|letter| !separator(*letter))
        .map_while(|letter| {
            let digit = u32::from(letter).checked_sub(decimal.zero)?;
            char::from_digit(digit, 10)
        });
    number::parse(&digits.collect::<String>())
}
