//! JSON texts that mean the same: key order, spaces, escapes and the spelling of numbers apart.

use serde_json::{Number, Value};

/// Both texts are the same JSON. Texts that are no JSON are equal only letter by letter.
pub fn same_text(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (serde_json::from_str::<Value>(a), serde_json::from_str::<Value>(b)) {
        (Ok(a), Ok(b)) => same(&a, &b),
        _ => false,
    }
}

/// Both values are the same, `1`, `1.0` and `1e0` being one number.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn same_number(a: &Number, b: &Number) -> bool {
    a == b || matches!((decimal(&a.to_string()), decimal(&b.to_string())), (Some(a), Some(b)) if a == b)
}

/// Sign, significant digits and exponent of a number's text, in the one form that equal numbers share.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some((false, String::new(), 0));
    }
    let kept = digits.trim_end_matches('0');
    let trailing = i64::try_from(digits.len() - kept.len()).ok()?;
    let places = i64::try_from(fraction.len()).ok()?;
    Some((
        negative,
        kept.to_owned(),
        exponent.checked_add(trailing)?.checked_sub(places)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sameness() {
        for (a, b, want) in [
            (r#"{"a":[1],"b":"x"}"#, r#"{ "b": "\u0078", "a": [1.0] }"#, true),
            ("100", "1e2", true),
            ("1.50", "15E-1", true),
            ("0", "-0.0", true),
            ("9007199254740993", "9007199254740992", false),
            ("[1,2]", "[2,1]", false),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
            (r#""1""#, "1", false),
            ("nonsense", "nonsense", true),
            ("nonsense", "other", false),
        ] {
            assert_eq!(same_text(a, b), want, "{a} and {b}");
            assert_eq!(same_text(b, a), want, "{b} and {a}");
        }
    }
}
