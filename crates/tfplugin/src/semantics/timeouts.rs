//! The `timeouts` block: texts such as `90s`, `10m` or `1h30m`.

use std::time::Duration;

use super::draft::TIMEOUTS;
use crate::cty::Val;
use crate::diag::{Diagnostic, Diagnostics};
use crate::path::Path;
use crate::timeouts::Timeouts;

/// How long an operation may take where neither the resource nor the user says.
const DEFAULT: Duration = Duration::from_mins(20);

/// How long an operation may take.
pub(crate) fn of(timeouts: Timeouts, operation: &str, state: &Val) -> Duration {
    let default = timeouts
        .entries()
        .into_iter()
        .find(|(name, _)| *name == operation)
        .map(|(_, default)| default);
    match state.get(TIMEOUTS).get(operation) {
        Val::String(text) => parse(text).unwrap_or(default.unwrap_or(DEFAULT)),
        _ => default.unwrap_or(DEFAULT),
    }
}

/// Refuses texts that are no durations.
pub(crate) fn validate(timeouts: Timeouts, config: &Val, diags: &mut Diagnostics) {
    for (operation, _) in timeouts.entries() {
        if let Val::String(text) = config.get(TIMEOUTS).get(operation)
            && parse(text).is_none_or(|duration| duration.is_zero())
        {
            diags.push(
                Diagnostic::error("Invalid timeout")
                    .detail(format!(
                        "`{text}` is no duration above zero. Write it as in `30s`, `10m` or `1h30m`."
                    ))
                    .at(Path::root(TIMEOUTS).attr(operation)),
            );
        }
    }
}

/// Reads a duration as Go writes it: numbers with units, largest first or not.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, next) = tail.split_at(end);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        let number: f64 = number.parse().ok()?;
        total = total.checked_add(Duration::try_from_secs_f64(number * seconds).ok()?)?;
        rest = next;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("90s", 90.0),
            ("10m", 600.0),
            ("1h30m", 5400.0),
            ("1.5h", 5400.0),
            ("250ms", 0.25),
            ("0", 0.0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in [
            "",
            "10",
            "m",
            "-1s",
            "1d",
            "1s ",
            "1.2.3s",
            "99999999999999999999999h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
