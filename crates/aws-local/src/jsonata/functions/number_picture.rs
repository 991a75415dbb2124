//! `$formatNumber`: decimal numbers by a picture, `#,##0.00;(#,##0.00)`.

use super::super::error::{Failure, error};
use super::super::host::{Arguments, Host};
use super::super::number;
use super::super::value::Value;
use super::Entry;
use super::picture::common_divisor;

pub(super) const FUNCTIONS: &[Entry] = &[("formatNumber", "<n-so?:s>", 3, format_number)];

/// Letters of a picture, and digits of a number.
const LETTERS_MAX: usize = 200;

fn format_number(host: &dyn Host, arguments: Arguments<'_>) -> Result<Value, Failure> {
    let (Some(value), Some(picture)) = (arguments.number(0), arguments.text(1)) else {
        return Ok(Value::Undefined);
    };
    host.meter().work(picture.len())?;
    if picture.chars().count() > LETTERS_MAX {
        return Err(error("D3086", "a picture of a number has 200 letters at most"));
    }
    let signs = Signs::read(arguments.at(2));
    let parts: Vec<&str> = picture.split(signs.pattern).collect();
    if parts.len() > 2 {
        return Err(error("D3080", "a picture of a number has two parts at most"));
    }
    let mut pictures = Vec::new();
    for part in &parts {
        pictures.push(Picture::analyse(part, &signs)?);
    }
    let negative = value < 0.0;
    let picture = pictures.get(usize::from(negative)).or(pictures.first());
    let Some(picture) = picture else {
        return Ok(Value::Undefined);
    };
    let mut text = picture.format(value, &signs);
    if negative && pictures.len() == 1 {
        text.insert_str(0, &signs.minus);
    }
    Value::text(host.meter(), text)
}

/// What the signs of a picture are.
struct Signs {
    point: char,
    group: char,
    exponent: char,
    minus: String,
    percent: char,
    per_mille: char,
    zero: char,
    digit: char,
    pattern: char,
}

impl Signs {
    fn read(options: &Value) -> Self {
        let text = |name: &str, otherwise: &str| match options {
            Value::Object(object) => match object.get(name) {
                Some(Value::Text(text)) => text.to_string(),
                _ => otherwise.to_owned(),
            },
            _ => otherwise.to_owned(),
        };
        let sign = |name: &str, otherwise: char| text(name, "").chars().next().unwrap_or(otherwise);
        Self {
            point: sign("decimal-separator", '.'),
            group: sign("grouping-separator", ','),
            exponent: sign("exponent-separator", 'e'),
            minus: text("minus-sign", "-").chars().take(LETTERS_MAX).collect(),
            percent: sign("percent", '%'),
            per_mille: sign("per-mille", '\u{2030}'),
            zero: sign("zero-digit", '0'),
            digit: sign("digit", '#'),
            pattern: sign("pattern-separator", ';'),
        }
    }

    fn is_digit(&self, letter: char) -> bool {
        (u32::from(self.zero)..u32::from(self.zero) + 10).contains(&u32::from(letter))
    }

    fn is_active(&self, letter: char) -> bool {
        self.is_digit(letter)
            || [self.point, self.group, self.exponent, self.digit, self.pattern].contains(&letter)
    }

    /// The digits of a number in this family.
    fn digits(&self, text: &str) -> String {
        let shift = |letter: char| {
            let digit = letter.to_digit(10)?;
            char::from_u32(u32::from(self.zero) + digit)
        };
        text.chars()
            .map(|letter| shift(letter).unwrap_or(letter))
            .collect()
    }
}

/// One part of a picture, taken apart.
struct Picture {
    prefix: String,
    suffix: String,
    factor: f64,
    integer: usize,
    scaling: usize,
    fraction: (usize, usize),
    exponent: usize,
    /// Places of separators from the point to the left, and whether they go on.
    groups: Vec<usize>,
    every: usize,
    fraction_groups: Vec<usize>,
    has_point: bool,
}

impl Picture {
    fn analyse(part: &str, signs: &Signs) -> Result<Self, Failure> {
        let letters: Vec<char> = part.chars().collect();
        let begins = |letter: &char| signs.is_active(*letter) && *letter != signs.exponent;
        let first = letters.iter().position(begins).unwrap_or(0);
        let last = letters.iter().rposition(begins).map_or(0, |last| last + 1);
        let active = letters.get(first..last).unwrap_or_default();
        let mut halves = active.splitn(2, |letter| *letter == signs.exponent);
        let mantissa = halves.next().unwrap_or_default();
        let exponent = halves.next();
        let mut sides = mantissa.splitn(2, |letter| *letter == signs.point);
        let integer = sides.next().unwrap_or_default();
        let fraction = sides.next().unwrap_or_default();
        check(signs, &letters, active, (integer, fraction, exponent))?;
        let digits = |letters: &[char]| letters.iter().filter(|letter| signs.is_digit(**letter)).count();
        let optional = |letters: &[char]| letters.iter().filter(|letter| **letter == signs.digit).count();
        let (scaling, mut fraction_min) = (digits(integer), digits(fraction));
        let (mut integer_min, mut fraction_max) = (scaling, fraction_min + optional(fraction));
        if integer_min == 0 && fraction_max == 0 {
            if exponent.is_some() {
                (fraction_min, fraction_max) = (1, 1);
            } else {
                integer_min = 1;
            }
        }
        if exponent.is_some() && integer_min == 0 && optional(integer) > 0 {
            integer_min = 1;
        }
        if integer_min == 0 && fraction_min == 0 {
            fraction_min = 1;
        }
        let places = |letters: &[char], from_left: bool| -> Vec<usize> {
            let separators = letters
                .iter()
                .enumerate()
                .filter(|(_, letter)| **letter == signs.group);
            let side = |at: usize| if from_left { &letters[..at] } else { &letters[at..] };
            separators
                .map(|(at, _)| digits(side(at)) + optional(side(at)))
                .collect()
        };
        let groups = places(integer, false);
        let every = groups.iter().copied().reduce(common_divisor).unwrap_or(0);
        let even = (1..=groups.len()).all(|nth| groups.contains(&(nth * every)));
        Ok(Self {
            prefix: letters[..first].iter().collect(),
            suffix: letters[last..].iter().collect(),
            factor: match () {
                () if letters.contains(&signs.percent) => 100.0,
                () if letters.contains(&signs.per_mille) => 1000.0,
                () => 1.0,
            },
            integer: integer_min,
            scaling,
            fraction: (fraction_min, fraction_max),
            exponent: exponent.map_or(0, digits),
            every: if even { every } else { 0 },
            groups,
            fraction_groups: places(fraction, true),
            has_point: letters.contains(&signs.point),
        })
    }

    fn format(&self, value: f64, signs: &Signs) -> String {
        let (mantissa, exponent) = self.scaled(value * self.factor);
        let places = i32::try_from(self.fraction.1).unwrap_or_default();
        let rounded = number::round(mantissa, places).abs();
        let text = format!("{rounded:.*}", self.fraction.1);
        let (integer, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let integer = integer.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let integer = format!(
            "{}{integer}",
            "0".repeat(self.integer.saturating_sub(integer.len()))
        );
        let fraction = format!(
            "{fraction}{}",
            "0".repeat(self.fraction.0.saturating_sub(fraction.len()))
        );
        let mut out = self.prefix.clone();
        for (at, digit) in signs.digits(&integer).chars().enumerate() {
            let left = integer.len() - at;
            let here = if self.every > 0 {
                at > 0 && left.is_multiple_of(self.every)
            } else {
                self.groups.contains(&left)
            };
            if here {
                out.push(signs.group);
            }
            out.push(digit);
        }
        if self.has_point && !fraction.is_empty() {
            out.push(signs.point);
            for (at, digit) in signs.digits(&fraction).chars().enumerate() {
                if self.fraction_groups.contains(&at) {
                    out.push(signs.group);
                }
                out.push(digit);
            }
        }
        if let Some(exponent) = exponent {
            out.push(signs.exponent);
            if exponent < 0 {
                out.push_str(&signs.minus);
            }
            let digits = format!("{:0width$}", exponent.unsigned_abs(), width = self.exponent);
            out.push_str(&signs.digits(&digits));
        }
        out.push_str(&self.suffix);
        out
    }

    /// The mantissa and the exponent, where the picture has one.
    fn scaled(&self, value: f64) -> (f64, Option<i32>) {
        if self.exponent == 0 {
            return (value, None);
        }
        let scaling = i32::try_from(self.scaling).unwrap_or_default();
        let (least, most) = (10_f64.powi(scaling - 1), 10_f64.powi(scaling));
        let (mut mantissa, mut exponent) = (value, 0);
        if value != 0.0 && value.is_finite() {
            while mantissa.abs() < least {
                mantissa *= 10.0;
                exponent -= 1;
            }
            while mantissa.abs() > most {
                mantissa /= 10.0;
                exponent += 1;
            }
        }
        (mantissa, Some(exponent))
    }
}

type Parts<'p> = (&'p [char], &'p [char], Option<&'p [char]>);

/// What a picture may not look like.
fn check(signs: &Signs, letters: &[char], active: &[char], parts: Parts<'_>) -> Result<(), Failure> {
    let found = signs_wrong(signs, letters, active, parts).or_else(|| digits_wrong(signs, letters, parts));
    found.map_or(Ok(()), |(code, what)| {
        let picture: String = letters.iter().collect();
        Err(error(
            code,
            format!("the picture {picture:?} cannot be used: {what}"),
        ))
    })
}

/// The first that is wrong, with its code.
fn first_of<const N: usize>(
    findings: [(bool, &'static str, &'static str); N],
) -> Option<(&'static str, &'static str)> {
    let found = findings.into_iter().find(|(wrong, _, _)| *wrong);
    found.map(|(_, code, what)| (code, what))
}

fn signs_wrong(
    signs: &Signs,
    letters: &[char],
    active: &[char],
    parts: Parts<'_>,
) -> Option<(&'static str, &'static str)> {
    let count = |sign: char| letters.iter().filter(|letter| **letter == sign).count();
    let beside = |one: char, other: char| letters.windows(2).any(|pair| *pair == [one, other]);
    let (percent, per_mille) = (count(signs.percent), count(signs.per_mille));
    let near_point = beside(signs.group, signs.point) || beside(signs.point, signs.group);
    let at_end = count(signs.point) == 0 && parts.0.last() == Some(&signs.group);
    let others = active.iter().any(|letter| !signs.is_active(*letter));
    first_of([
        (
            count(signs.point) > 1,
            "D3081",
            "it has more than one decimal point",
        ),
        (percent > 1, "D3082", "it has more than one percent sign"),
        (per_mille > 1, "D3083", "it has more than one per-mille sign"),
        (
            percent > 0 && per_mille > 0,
            "D3084",
            "it has both a percent and a per-mille sign",
        ),
        (others, "D3086", "it has other letters between its digits"),
        (near_point, "D3087", "it has a separator beside the decimal point"),
        (at_end, "D3088", "it ends with a separator"),
        (
            beside(signs.group, signs.group),
            "D3089",
            "it has two separators side by side",
        ),
        (
            parts.2.is_some() && percent + per_mille > 0,
            "D3092",
            "it has an exponent and a percent sign",
        ),
    ])
}

fn digits_wrong(signs: &Signs, letters: &[char], parts: Parts<'_>) -> Option<(&'static str, &'static str)> {
    let (integer, fraction, exponent) = parts;
    let digit = |letter: &char| signs.is_digit(*letter);
    let optional = |letter: &char| *letter == signs.digit;
    let late = integer
        .iter()
        .position(optional)
        .is_some_and(|at| integer[..at].iter().any(digit));
    let early = fraction
        .iter()
        .rposition(optional)
        .is_some_and(|at| fraction[at..].iter().any(digit));
    let mut mantissa = integer.iter().chain(fraction);
    let none = !mantissa.any(|letter| digit(letter) || optional(letter));
    let exponent = exponent.is_some_and(|digits| digits.is_empty() || !digits.iter().all(digit));
    first_of([
        (none && letters.is_empty(), "D3085", "it is empty"),
        (none, "D3085", "it has no digit"),
        (
            late,
            "D3090",
            "it has an optional digit behind one that has to be there",
        ),
        (
            early,
            "D3091",
            "it has an optional digit before one that has to be there",
        ),
        (exponent, "D3093", "its exponent is not digits only"),
    ])
}
