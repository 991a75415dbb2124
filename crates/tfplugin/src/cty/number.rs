//! Numbers of any precision. What is read is written back digit for digit.

use std::fmt;
use std::str::FromStr;

use super::ValueError;

/// How many digits a number may have when written out.
const DIGITS_MAX: usize = 100_000;
/// The largest exponent that is written as digits.
const PLAIN_EXPONENT_MAX: u32 = 400;

/// A decimal number of any precision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(Repr);

/// One form for each number, so that equality is structural: whole numbers that fit are `Int`, and
/// `digits` neither begin nor end with a zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Repr {
    Int(i64),
    Decimal {
        negative: bool,
        exponent: i32,
        digits: Box<str>,
    },
    Infinity {
        negative: bool,
    },
}

impl Default for Number {
    fn default() -> Self {
        Self(Repr::Int(0))
    }
}

impl Number {
    /// The number as a whole number, if it is one and fits.
    pub fn to_i64(&self) -> Option<i64> {
        match self.0 {
            Repr::Int(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it has no fraction, however great it is.
    pub fn is_whole(&self) -> bool {
        match &self.0 {
            Repr::Int(_) => true,
            Repr::Decimal { exponent, .. } => *exponent >= 0,
            Repr::Infinity { .. } => false,
        }
    }

    /// The nearest floating-point number.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Repr::Infinity { negative: true } => f64::NEG_INFINITY,
            Repr::Infinity { negative: false } => f64::INFINITY,
            _ => self.scientific().parse().unwrap_or(f64::NAN),
        }
    }

    /// The number that reads as this floating-point number does: `0.1` is one tenth.
    ///
    /// Not-a-number has no such reading.
    pub fn from_f64(value: f64) -> Result<Self, ValueError> {
        if value.is_infinite() {
            return Ok(Self(Repr::Infinity {
                negative: value < 0.0,
            }));
        }
        format!("{value:e}").parse()
    }

    /// The number that this floating-point number is, to its last binary digit.
    pub(crate) fn from_f64_exact(value: f64) -> Result<Self, ValueError> {
        if value.is_infinite() {
            return Self::from_f64(value);
        }
        // No f64 has more than 1,074 digits after the point.
        format!("{value:.1074}").parse()
    }

    /// This number as a float, if the float is exactly this number.
    pub(crate) fn to_f64_exact(&self) -> Option<f64> {
        let value = self.to_f64();
        (Self::from_f64_exact(value).as_ref() == Ok(self)).then_some(value)
    }

    /// The number as it is written to the wire: without an exponent only where that is short. A few bytes may mean
    /// 100,000 zeros.
    pub(super) fn to_wire(&self) -> String {
        match &self.0 {
            Repr::Decimal { exponent, .. } if exponent.unsigned_abs() > PLAIN_EXPONENT_MAX => {
                self.scientific()
            }
            _ => self.to_string(),
        }
    }

    fn scientific(&self) -> String {
        match &self.0 {
            Repr::Decimal {
                negative,
                exponent,
                digits,
            } => {
                format!("{}{digits}e{exponent}", if *negative { "-" } else { "" })
            }
            _ => self.to_string(),
        }
    }

    fn from_parts(negative: bool, digits: &str, exponent: i64) -> Result<Self, ValueError> {
        let trimmed = digits.trim_start_matches('0');
        let significant = trimmed.trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self::default());
        }
        let exponent = exponent + i64::try_from(trimmed.len() - significant.len()).unwrap_or(i64::MAX / 2);
        let size = i64::try_from(significant.len()).unwrap_or(i64::MAX / 2) + exponent.abs();
        let too_long = || ValueError::new(format!("a number has more than {DIGITS_MAX} digits"));
        if usize::try_from(size).map_or(true, |size| size > DIGITS_MAX) {
            return Err(too_long());
        }
        let exponent = i32::try_from(exponent).map_err(|_| too_long())?;
        let number = Self(Repr::Decimal {
            negative,
            exponent,
            digits: significant.into(),
        });
        // An i64 has 19 digits: what has more is not spelt out to see that it does not fit.
        if (0..=18).contains(&exponent)
            && let Ok(small) = number.to_string().parse()
        {
            return Ok(Self(Repr::Int(small)));
        }
        Ok(number)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Repr::Int(value))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or_else(
            |_| Self::from_parts(false, &value.to_string(), 0).unwrap_or_default(),
            Self::from,
        )
    }
}

impl FromStr for Number {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let bad = || ValueError::new("not a number");
        if let Ok(small) = text.parse() {
            return Ok(Self(Repr::Int(small)));
        }
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| bad())?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = [whole, fraction].concat();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad());
        }
        let shift = i64::try_from(fraction.len()).map_err(|_| bad())?;
        Self::from_parts(negative, &digits, i64::from(exponent) - shift)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Int(value) => write!(f, "{value}"),
            Repr::Infinity { negative } => f.write_str(if *negative { "-Inf" } else { "Inf" }),
            Repr::Decimal {
                negative,
                exponent,
                digits,
            } => {
                if *negative {
                    f.write_str("-")?;
                }
                let places = usize::try_from(exponent.unsigned_abs()).unwrap_or(DIGITS_MAX);
                if *exponent >= 0 {
                    write!(f, "{digits}{}", "0".repeat(places))
                } else if places < digits.len() {
                    let (whole, fraction) = digits.split_at(digits.len() - places);
                    write!(f, "{whole}.{fraction}")
                } else {
                    write!(f, "0.{}{digits}", "0".repeat(places - digits.len()))
                }
            }
        }
    }
}
