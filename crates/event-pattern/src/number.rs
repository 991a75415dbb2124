//! Numbers as AWS's engine compares them: by value, as doubles, and only when the double says what was written.
//!
//! `300`, `3e2` and `300.0` are equal. A number that a double cannot hold (a long account id, say) is not comparable at
//! all: it equals only its own spelling.

/// A double in an order that integers have: greater numbers have greater keys.
pub(crate) type Key = u64;

/// The key of a JSON number; `None` if it is not comparable.
pub(crate) fn key(text: &[u8]) -> Option<Key> {
    let text = std::str::from_utf8(text).ok()?;
    let double: f64 = text.parse().ok()?;
    if !double.is_finite() || !same(text, &shortest(double)) {
        return None;
    }
    // Java's decimals know no negative zero.
    let bits = if double == 0.0 { 0 } else { double.to_bits() };
    Some(if bits >> 63 == 0 { bits | 1 << 63 } else { !bits })
}

/// The number of a key.
pub(crate) fn double(key: Key) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

/// The key of the greatest double.
pub(crate) const GREATEST: Key = 0x7fef_ffff_ffff_ffff | 1 << 63;
/// The key of the least double.
pub(crate) const LEAST: Key = !0xffef_ffff_ffff_ffff;

/// The ten digits to base 128 that the engine makes of a key.
pub(crate) fn digits(key: Key) -> [u8; 10] {
    let mut digits = [0; 10];
    let mut rest = key;
    for digit in digits.iter_mut().rev() {
        *digit = u8::try_from(rest & 0x7f).unwrap_or(0);
        rest >>= 7;
    }
    digits
}

/// The decimal that Java prints for a double: the shortest that reads back, of two digits at least.
fn shortest(double: f64) -> String {
    let one = format!("{double:e}");
    let lone_digit = !one.contains('.');
    if lone_digit { format!("{double:.1e}") } else { one }
}

/// Whether two decimals have one value.
fn same(a: &str, b: &str) -> bool {
    if let (Some(a), Some(b)) = (plain(a), plain(b)) {
        return a == b;
    }
    Decimal::read(a).is_some_and(|a| Some(a) == Decimal::read(b))
}

/// Small whole numbers need no more than this.
fn plain(text: &str) -> Option<i64> {
    if text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: Vec<u8>,
    /// The power of ten of the last digit.
    exponent: i64,
}

impl Decimal {
    fn read(text: &str) -> Option<Self> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = whole
            .bytes()
            .chain(part.bytes())
            .skip_while(|b| *b == b'0')
            .collect();
        let mut exponent = last_exponent(text)?;
        if digits.is_empty() {
            return Some(Self {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        while digits.last() == Some(&b'0') {
            digits.pop();
            exponent = exponent.checked_add(1)?;
        }
        Some(Self {
            negative,
            digits,
            exponent,
        })
    }
}

/// The power of ten of the last digit that is written; the engine's decimals, zero too, have one that Java's `int` can
/// hold, with either sign.
fn last_exponent(text: &str) -> Option<i64> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let places = mantissa.split_once('.').map_or(0, |(_, part)| part.len());
    let last = exponent
        .parse::<i64>()
        .ok()?
        .checked_sub(i64::try_from(places).ok()?)?;
    let most = i64::from(i32::MAX);
    (-most..=most).contains(&last).then_some(last)
}

/// What the engine says of a number that it cannot compare.
pub(crate) fn complaint(text: &str) -> String {
    if last_exponent(text).is_some() {
        format!("Cannot compare number : {text}")
    } else {
        "value exceeds limits".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &str, b: &str, equal: bool) {
        assert_eq!(
            key(a.as_bytes()).is_some() && key(a.as_bytes()) == key(b.as_bytes()),
            equal,
            "{a} {b}"
        );
    }

    #[test]
    fn spellings() {
        check("300", "3e2", true);
        check("300", "300.0", true);
        check("0", "-0.0", true);
        check("0.1", "1E-1", true);
        check("300", "300.1", false);
        check("12345678901234567890", "12345678901234567890", false);
        check("1e400", "1e400", false);
        check("9007199254740993", "9007199254740993", false);
        check("4.9e-324", "4.9E-324", true);
        check("5e-324", "5e-324", false);
        check("0", "0e2147483647", true);
        check("0", "0.0e-2147483646", true);
        check("0", "0e2147483648", false);
        check("0", "0.0e-2147483647", false);
    }

    #[test]
    fn keys_have_the_order_of_numbers() {
        let ordered = ["-1e300", "-5", "-0.5", "0", "1e-300", "0.5", "5", "1e300"];
        let keys: Vec<_> = ordered.iter().map(|text| key(text.as_bytes()).unwrap()).collect();
        assert!(keys.is_sorted());
        assert!(LEAST < keys[0] && keys[7] < GREATEST);
    }
}
