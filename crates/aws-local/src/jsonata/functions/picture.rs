//! Pictures of whole numbers: `000`, `#,##0`, `1;o`, `A`, `i`, `Ww`.

use super::super::error::{Failure, error};
use super::super::number;

/// Digits that a picture may ask for.
const DIGITS_MAX: usize = 100;
/// Roman numerals beyond are rows of thousands.
const ROMAN_MAX: u64 = 100_000;

/// Numbers beyond have no exact whole value.
pub(super) const WHOLE_MAX: f64 = 9_007_199_254_740_991.0;

#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) form: Form,
    pub(super) case: Case,
    pub(super) ordinal: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Form {
    Decimal(Decimal),
    Letters,
    Roman,
    Words,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Lower,
    Title,
}

#[derive(Debug, Clone)]
pub(super) struct Decimal {
    /// The zero of its digits.
    pub(super) zero: u32,
    pub(super) mandatory: usize,
    pub(super) optional: usize,
    pub(super) grouping: Grouping,
}

#[derive(Debug, Clone)]
pub(super) enum Grouping {
    Every(usize, char),
    /// Places from the right.
    At(Vec<(usize, char)>),
}

/// The zeros of all families of digits that a picture may use.
const ZEROS: [u32; 37] = [
    0x30, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50,
    0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

fn zero_of(letter: char) -> Option<u32> {
    let code = u32::from(letter);
    ZEROS.into_iter().find(|zero| (*zero..=*zero + 9).contains(&code))
}

pub(super) fn analyse(picture: &str) -> Result<Picture, Failure> {
    let (primary, ordinal) = match picture.rsplit_once(';') {
        Some((primary, modifier)) => (primary, modifier.starts_with('o')),
        None => (picture, false),
    };
    let (form, case) = match primary {
        "A" => (Form::Letters, Case::Upper),
        "a" => (Form::Letters, Case::Lower),
        "I" => (Form::Roman, Case::Upper),
        "i" => (Form::Roman, Case::Lower),
        "W" => (Form::Words, Case::Upper),
        "Ww" => (Form::Words, Case::Title),
        "w" => (Form::Words, Case::Lower),
        _ => (Form::Decimal(decimal(primary)?), Case::Lower),
    };
    Ok(Picture { form, case, ordinal })
}

fn decimal(primary: &str) -> Result<Decimal, Failure> {
    let (mut zero, mut mandatory, mut optional) = (None, 0_usize, 0_usize);
    let mut separators = Vec::new();
    for letter in primary.chars().rev() {
        match zero_of(letter) {
            Some(family) if *zero.get_or_insert(family) == family => mandatory += 1,
            Some(_) => {
                return Err(error(
                    "D3131",
                    format!("the picture {primary:?} mixes families of digits"),
                ));
            }
            None if letter == '#' => optional += 1,
            None => separators.push((mandatory + optional, letter)),
        }
    }
    let Some(zero) = zero.filter(|_| mandatory + optional <= DIGITS_MAX) else {
        let shown: String = primary.chars().take(50).collect();
        return Err(error(
            "D3130",
            format!("{shown:?} is no picture of a number with 1 to 100 digits"),
        ));
    };
    Ok(Decimal {
        zero,
        mandatory,
        optional,
        grouping: grouping(separators),
    })
}

/// Separators that all are the same and equally far apart go on to the left.
fn grouping(separators: Vec<(usize, char)>) -> Grouping {
    let Some((_, sign)) = separators.first().copied() else {
        return Grouping::At(Vec::new());
    };
    let every = separators
        .iter()
        .map(|(place, _)| *place)
        .reduce(common_divisor)
        .unwrap_or(0);
    let even = (1..=separators.len()).all(|nth| separators.iter().any(|(place, _)| *place == nth * every));
    if every > 0 && even && separators.iter().all(|(_, other)| *other == sign) {
        Grouping::Every(every, sign)
    } else {
        Grouping::At(separators)
    }
}

pub(super) fn common_divisor(one: usize, other: usize) -> usize {
    if other == 0 {
        one
    } else {
        common_divisor(other, one % other)
    }
}

impl Picture {
    pub(super) fn format(&self, value: f64) -> Result<String, Failure> {
        let value = value.floor();
        let size = value.abs();
        let whole = number::whole(size).unsigned_abs();
        let mut text = match &self.form {
            Form::Letters | Form::Roman | Form::Words if size > WHOLE_MAX => {
                return Err(error(
                    "D3130",
                    "a number above 9,007,199,254,740,991 can only be written in digits",
                ));
            }
            Form::Letters => letters(whole, if self.case == Case::Upper { b'A' } else { b'a' }),
            Form::Roman if whole > ROMAN_MAX => {
                return Err(error("D3130", "a number above 100,000 has no Roman numeral here"));
            }
            Form::Roman => self.cased(&roman(whole)),
            Form::Words => self.cased(&words(whole, self.ordinal)),
            Form::Decimal(decimal) => decimal.format(size, self.ordinal),
        };
        if value < 0.0 {
            text.insert(0, '-');
        }
        Ok(text)
    }

    fn cased(&self, text: &str) -> String {
        match self.case {
            Case::Upper => text.to_uppercase(),
            Case::Lower => text.to_lowercase(),
            Case::Title => text.to_owned(),
        }
    }
}

impl Decimal {
    fn format(&self, size: f64, ordinal: bool) -> String {
        let digits = number::written(size);
        let missing = self.mandatory.saturating_sub(digits.len());
        let digits: Vec<char> = "0".repeat(missing).chars().chain(digits.chars()).collect();
        let mut out = String::new();
        for (at, digit) in digits.iter().enumerate() {
            let left = digits.len() - at;
            let sign = match &self.grouping {
                Grouping::Every(every, sign) => (at > 0 && left.is_multiple_of(*every)).then_some(*sign),
                Grouping::At(places) => places
                    .iter()
                    .find(|(place, _)| *place == left)
                    .map(|(_, sign)| *sign),
            };
            out.extend(sign);
            let shifted = digit
                .to_digit(10)
                .and_then(|digit| char::from_u32(self.zero + digit));
            out.push(shifted.unwrap_or(*digit));
        }
        if ordinal {
            out.push_str(ending(&digits));
        }
        out
    }
}

/// `st`, `nd`, `rd` or `th`
fn ending(digits: &[char]) -> &'static str {
    match digits {
        [.., '1', _] => "th",
        [.., '1'] => "st",
        [.., '2'] => "nd",
        [.., '3'] => "rd",
        _ => "th",
    }
}

fn letters(mut value: u64, first: u8) -> String {
    let mut letters = Vec::new();
    while value > 0 {
        letters.push(char::from(
            first + u8::try_from((value - 1) % 26).unwrap_or_default(),
        ));
        value = (value - 1) / 26;
    }
    letters.into_iter().rev().collect()
}

const ROMAN: [(u64, &str); 13] = [
    (1000, "m"),
    (900, "cm"),
    (500, "d"),
    (400, "cd"),
    (100, "c"),
    (90, "xc"),
    (50, "l"),
    (40, "xl"),
    (10, "x"),
    (9, "ix"),
    (5, "v"),
    (4, "iv"),
    (1, "i"),
];

fn roman(mut value: u64) -> String {
    let mut out = String::new();
    for (worth, numeral) in ROMAN {
        while value >= worth {
            out.push_str(numeral);
            value -= worth;
        }
    }
    out
}

/// The value of a Roman numeral; letters that are none count nothing.
pub(super) fn from_roman(text: &str) -> f64 {
    let worth = |letter: char| match letter.to_ascii_lowercase() {
        'm' => 1000.0,
        'd' => 500.0,
        'c' => 100.0,
        'l' => 50.0,
        'x' => 10.0,
        'v' => 5.0,
        'i' => 1.0,
        _ => 0.0,
    };
    let (mut total, mut highest) = (0.0, 1.0);
    for letter in text.chars().rev() {
        let value = worth(letter);
        if value < highest {
            total -= value;
        } else {
            highest = value;
            total += value;
        }
    }
    total
}

/// The value of letters that count as a, b … z, aa, ab …
pub(super) fn from_letters(text: &str) -> f64 {
    text.bytes().fold(0.0, |total, letter| {
        total * 26.0 + f64::from(letter.to_ascii_lowercase().saturating_sub(b'a') + 1)
    })
}

const SMALL: [&str; 20] = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
];
const TENS: [&str; 8] = [
    "Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety",
];
const THOUSANDS: [(u64, &str); 4] = [
    (1_000_000_000_000, "Trillion"),
    (1_000_000_000, "Billion"),
    (1_000_000, "Million"),
    (1000, "Thousand"),
];

fn small(value: u64) -> &'static str {
    usize::try_from(value)
        .ok()
        .and_then(|value| SMALL.get(value))
        .copied()
        .unwrap_or("")
}

fn words(value: u64, ordinal: bool) -> String {
    let text = cardinal(value, "");
    if ordinal { to_ordinal(&text) } else { text }
}

/// The number in words, behind `joint`: `and` before what is below a hundred, a comma before what is above.
fn cardinal(value: u64, joint: &str) -> String {
    let (and, comma) = if joint.is_empty() {
        ("", "")
    } else {
        (" and ", ", ")
    };
    if value < 20 {
        return format!("{and}{}", small(value));
    }
    if value < 100 {
        let tens = usize::try_from(value / 10 - 2)
            .ok()
            .and_then(|tens| TENS.get(tens))
            .copied();
        let unit = match value % 10 {
            0 => String::new(),
            unit => format!("-{}", small(unit)),
        };
        return format!("{and}{}{unit}", tens.unwrap_or_default());
    }
    let found = THOUSANDS.into_iter().find(|(worth, _)| value >= *worth);
    let (worth, name) = found.unwrap_or((100, "Hundred"));
    let rest = match value % worth {
        0 => String::new(),
        rest => cardinal(rest, "and"),
    };
    format!("{comma}{} {name}{rest}", cardinal(value / worth, ""))
}

/// The last word as an ordinal.
fn to_ordinal(text: &str) -> String {
    let from = text.rfind([' ', '-']).map_or(0, |at| at + 1);
    let (before, last) = text.split_at(from);
    let ordinal = match last {
        "One" => "First".to_owned(),
        "Two" => "Second".to_owned(),
        "Three" => "Third".to_owned(),
        "Five" => "Fifth".to_owned(),
        "Eight" => "Eighth".to_owned(),
        "Nine" => "Ninth".to_owned(),
        "Twelve" => "Twelfth".to_owned(),
        tens if tens.ends_with('y') => format!("{}ieth", &tens[..tens.len() - 1]),
        other => format!("{other}th"),
    };
    format!("{before}{ordinal}")
}
