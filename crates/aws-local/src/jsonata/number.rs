//! Numbers as JavaScript writes and rounds them.

/// The number as JSON text; what is not finite has none.
pub(super) fn written(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let shortest = format!("{number:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, mantissa) = mantissa
        .strip_prefix('-')
        .map_or(("", mantissa), |rest| ("-", rest));
    let digits = mantissa.replace('.', "");
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or_default());
    let body = if (0..21).contains(&exponent) {
        if count <= exponent + 1 {
            format!("{digits}{}", zeros(exponent + 1 - count))
        } else {
            let (whole, rest) = digits.split_at(usize::try_from(exponent + 1).unwrap_or_default());
            format!("{whole}.{rest}")
        }
    } else if (-6..0).contains(&exponent) {
        format!("0.{}{digits}", zeros(-exponent - 1))
    } else {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let plus = if exponent < 0 { "" } else { "+" };
        format!("{first}{point}{rest}e{plus}{exponent}")
    };
    format!("{sign}{body}")
}

/// As `$string` writes it: with 15 digits at most.
pub(super) fn rounded(number: f64) -> f64 {
    if number.fract() == 0.0 {
        return number;
    }
    format!("{number:.14e}").parse().unwrap_or(number)
}

/// Half to even at that many places after the point.
pub(super) fn round(number: f64, places: i32) -> f64 {
    let rounded = half_even(shifted(number, places));
    let result = shifted(rounded, -places);
    if result == 0.0 { 0.0 } else { result }
}

/// The number times a power of ten, by moving the point in its text, so that no digit is lost.
fn shifted(number: f64, places: i32) -> f64 {
    if places == 0 {
        return number;
    }
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or_default();
    format!("{mantissa}e{}", exponent + i64::from(places))
        .parse()
        .unwrap_or(number)
}

fn half_even(number: f64) -> f64 {
    number.round_ties_even()
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "no count here is near 2^53")]
pub(super) fn from_count(count: usize) -> f64 {
    count as f64
}

/// A time in milliseconds as a number.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of our era fit in 53 bits"
)]
pub(super) fn from_millis(millis: i64) -> f64 {
    millis as f64
}

/// The whole part, at the bounds of the type where it is beyond them; 0 for what is no number.
#[expect(clippy::cast_possible_truncation, reason = "the bounds are what is wanted")]
pub(super) fn whole(number: f64) -> i64 {
    number as i64
}

/// The place that an index means in a list of that many items; a negative one counts from the end.
pub(super) fn place(index: f64, items: usize) -> Option<usize> {
    let index = whole(index.floor());
    if index < 0 {
        items.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
    } else {
        usize::try_from(index).ok().filter(|index| *index < items)
    }
}

/// Reads a number of JSON.
pub(super) fn parse(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_in_javascript() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (137_000_000_000.0, "137000000000"),
            (1.5, "1.5"),
            (-0.25, "-0.25"),
            (1e21, "1e+21"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (0.1 + 0.2, "0.30000000000000004"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(written(number), expected);
        }
        assert_eq!(written(rounded(0.1 + 0.2)), "0.3");
    }

    #[test]
    fn halves_are_rounded_to_even() {
        for (number, places, expected) in [
            (2.5, 0, 2.0),
            (3.5, 0, 4.0),
            (-0.5, 0, 0.0),
            (2.145, 2, 2.14),
            (1.005, 2, 1.0),
            (12350.0, -2, 12400.0),
        ] {
            assert_eq!(
                round(number, places).to_bits(),
                f64::to_bits(expected),
                "{number} {places}"
            );
        }
    }
}
