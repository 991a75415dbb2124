//! Schedule expressions: `rate(5 minutes)` and `cron(0 20 * * ? *)`, in UTC.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::clock::{DAY, Millis};

const YEARS: (i16, i16) = (1970, 2199);
/// From the first year that counts: a calendar repeats within 28 years, leap years that are none aside.
const DAYS_AHEAD_MAX: i32 = 40 * 366;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Schedule {
    Rate(Millis),
    Cron(Box<Cron>),
}

/// The six fields of a cron expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cron {
    minutes: Vec<i16>,
    hours: Vec<i16>,
    day: Day,
    months: Vec<i16>,
    years: Vec<i16>,
}

/// Day of month or day of week: one of them is always `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Day {
    OfMonth(Vec<i16>),
    LastOfMonth,
    LastWeekdayOfMonth,
    /// The weekday nearest to that day.
    NearestWeekday(i16),
    /// Sunday is 1.
    OfWeek(Vec<i16>),
    LastOfWeek(i16),
    NthOfWeek(i16, i8),
}

impl Schedule {
    /// `None` when the expression is not one that AWS takes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')')) {
            return rate(inner).map(Self::Rate);
        }
        let inner = text.strip_prefix("cron(")?.strip_suffix(')')?;
        cron(inner).map(|cron| Self::Cron(Box::new(cron)))
    }

    /// The next time after `after`, if there is one.
    pub(crate) fn next(&self, after: Millis) -> Option<Millis> {
        match self {
            Self::Rate(every) => Some(after + every),
            Self::Cron(cron) => cron.next(after),
        }
    }
}

fn rate(inner: &str) -> Option<Millis> {
    let (value, unit) = inner.split_once(' ')?;
    let value: i64 = value
        .parse()
        .ok()
        .filter(|value| (1..1_000_000).contains(value))?;
    let unit = match (unit, value) {
        ("minute", 1) | ("minutes", 2..) => DAY / 1440,
        ("hour", 1) | ("hours", 2..) => DAY / 24,
        ("day", 1) | ("days", 2..) => DAY,
        _ => return None,
    };
    Some(value * unit)
}

fn cron(inner: &str) -> Option<Cron> {
    let fields: Vec<&str> = inner.split_whitespace().collect();
    let &[minutes, hours, of_month, months, of_week, years] = fields.as_slice() else {
        return None;
    };
    let day = match (of_month, of_week) {
        ("?", "?") => return None,
        (_, "?") => day_of_month(of_month)?,
        ("?", _) => day_of_week(of_week)?,
        _ => return None,
    };
    Some(Cron {
        minutes: list(minutes, (0, 59), &[])?,
        hours: list(hours, (0, 23), &[])?,
        day,
        months: list(months, (1, 12), &MONTHS)?,
        years: list(years, YEARS, &[])?,
    })
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEK: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

fn day_of_month(text: &str) -> Option<Day> {
    match text {
        "L" => Some(Day::LastOfMonth),
        "LW" => Some(Day::LastWeekdayOfMonth),
        _ => match text.strip_suffix('W') {
            Some(day) => number(day, (1, 31), &[]).map(Day::NearestWeekday),
            None => list(text, (1, 31), &[]).map(Day::OfMonth),
        },
    }
}

fn day_of_week(text: &str) -> Option<Day> {
    if text == "L" {
        return Some(Day::OfWeek(vec![7]));
    }
    if let Some((day, nth)) = text.split_once('#') {
        let nth: i8 = nth.parse().ok().filter(|nth| (1..=5).contains(nth))?;
        return Some(Day::NthOfWeek(number(day, (1, 7), &WEEK)?, nth));
    }
    match text.strip_suffix('L').and_then(|day| number(day, (1, 7), &WEEK)) {
        Some(day) => Some(Day::LastOfWeek(day)),
        None => list(text, (1, 7), &WEEK).map(Day::OfWeek),
    }
}

/// `*`, `a`, `a-b`, `a/step`, `*/step` and lists of them.
fn list(text: &str, range: (i16, i16), names: &[&str]) -> Option<Vec<i16>> {
    let mut values = Vec::new();
    for part in text.split(',') {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (span, Some(step.parse::<i16>().ok().filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let (low, high) = match span.split_once('-') {
            _ if span == "*" => range,
            Some((low, high)) => (number(low, range, names)?, number(high, range, names)?),
            None => {
                let low = number(span, range, names)?;
                (low, if step.is_some() { range.1 } else { low })
            }
        };
        if low > high {
            return None;
        }
        values.extend((low..=high).step_by(usize::try_from(step.unwrap_or(1)).ok()?));
    }
    values.sort_unstable();
    values.dedup();
    Some(values)
}

fn number(text: &str, range: (i16, i16), names: &[&str]) -> Option<i16> {
    let position = names.iter().position(|name| name.eq_ignore_ascii_case(text));
    let value = match position {
        Some(at) => range.0 + i16::try_from(at).ok()?,
        None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
        None => return None,
    };
    (range.0..=range.1).contains(&value).then_some(value)
}

impl Cron {
    fn next(&self, after: Millis) -> Option<Millis> {
        let after = Timestamp::from_millisecond(after)
            .ok()?
            .to_zoned(TimeZone::UTC)
            .datetime();
        let mut date = after.date();
        let first = *self.years.iter().find(|year| **year >= date.year())?;
        if first > date.year() {
            date = Date::new(first, 1, 1).ok()?;
        }
        for _ in 0..DAYS_AHEAD_MAX {
            if self.has_day(date) {
                let mut times = self
                    .hours
                    .iter()
                    .flat_map(|hour| self.minutes.iter().map(move |minute| (*hour, *minute)));
                let found = times.find_map(|(hour, minute)| {
                    let at = date.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0);
                    (at > after).then_some(at)
                });
                if let Some(at) = found {
                    return to_millis(at);
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn has_day(&self, date: Date) -> bool {
        if !self.years.contains(&date.year()) || !self.months.contains(&i16::from(date.month())) {
            return false;
        }
        let week = i16::from(date.weekday().to_sunday_zero_offset()) + 1;
        let (day, last) = (date.day(), date.days_in_month());
        match &self.day {
            Day::OfMonth(days) => days.contains(&i16::from(day)),
            Day::LastOfMonth => day == last,
            Day::LastWeekdayOfMonth => nearest_weekday(date, last) == Some(day),
            Day::NearestWeekday(wanted) => i8::try_from(*wanted)
                .is_ok_and(|wanted| wanted <= last && nearest_weekday(date, wanted) == Some(day)),
            Day::OfWeek(days) => days.contains(&week),
            Day::LastOfWeek(wanted) => *wanted == week && day > last - 7,
            Day::NthOfWeek(wanted, nth) => *wanted == week && (day - 1) / 7 + 1 == *nth,
        }
    }
}

/// The working day nearest to `wanted` within the month of `date`.
fn nearest_weekday(date: Date, wanted: i8) -> Option<i8> {
    let day = Date::new(date.year(), date.month(), wanted).ok()?;
    let (last, week) = (date.days_in_month(), day.weekday().to_sunday_zero_offset());
    Some(match week {
        6 if wanted == 1 => 3,
        6 => wanted - 1,
        0 if wanted == last => wanted - 2,
        0 => wanted + 1,
        _ => wanted,
    })
}

fn to_millis(at: DateTime) -> Option<Millis> {
    at.to_zoned(TimeZone::UTC)
        .ok()
        .map(|zoned| zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, after: &str) -> Option<String> {
        let after: Timestamp = after.parse().unwrap();
        let next = Schedule::parse(expression)?.next(after.as_millisecond())?;
        Some(crate::clock::rfc3339_seconds(next))
    }

    #[test]
    fn expressions_fire_when_awss_do() {
        for (expression, after, expected) in [
            ("rate(1 minute)", "2024-01-01T00:00:00Z", "2024-01-01T00:01:00Z"),
            ("rate(5 hours)", "2024-01-01T00:00:00Z", "2024-01-01T05:00:00Z"),
            (
                "cron(0 20 * * ? *)",
                "2024-01-01T20:00:00Z",
                "2024-01-02T20:00:00Z",
            ),
            (
                "cron(0/15 * * * ? *)",
                "2024-01-01T00:14:59Z",
                "2024-01-01T00:15:00Z",
            ),
            (
                "cron(0 8 1 * ? *)",
                "2024-01-01T09:00:00Z",
                "2024-02-01T08:00:00Z",
            ),
            (
                "cron(0 18 ? * MON-FRI *)",
                "2024-01-05T18:00:00Z",
                "2024-01-08T18:00:00Z",
            ),
            (
                "cron(0 0 L * ? *)",
                "2024-02-01T00:00:00Z",
                "2024-02-29T00:00:00Z",
            ),
            (
                "cron(0 0 1W * ? *)",
                "2024-05-31T00:00:01Z",
                "2024-06-03T00:00:00Z",
            ),
            (
                "cron(0 0 ? * 6#3 *)",
                "2024-01-01T00:00:00Z",
                "2024-01-19T00:00:00Z",
            ),
            (
                "cron(0 0 ? * 6L *)",
                "2024-01-01T00:00:00Z",
                "2024-01-26T00:00:00Z",
            ),
            (
                "cron(0 0 29 FEB ? *)",
                "2024-03-01T00:00:00Z",
                "2028-02-29T00:00:00Z",
            ),
        ] {
            assert_eq!(next(expression, after).as_deref(), Some(expected), "{expression}");
        }
        assert_eq!(next("cron(0 0 1 1 ? 2020)", "2024-01-01T00:00:00Z"), None);
    }

    #[test]
    fn others_are_refused() {
        for expression in [
            "",
            "rate(5)",
            "rate(1 minutes)",
            "rate(2 minute)",
            "rate(0 minutes)",
            "rate(-1 minutes)",
            "rate(5 seconds)",
            "cron(0 20 * * *)",
            "cron(0 20 * * * *)",
            "cron(0 20 ? * ? *)",
            "cron(60 0 * * ? *)",
            "cron(0 24 * * ? *)",
            "cron(0 0 32 * ? *)",
            "cron(0 0 * 13 ? *)",
            "cron(0 0 ? * 8 *)",
            "cron(0 0 * * ? 1969)",
            "at(2024-01-01T00:00:00)",
            "cron(a * * * ? *)",
            "cron(5-1 * * * ? *)",
            "cron(*/0 * * * ? *)",
        ] {
            assert_eq!(Schedule::parse(expression), None, "{expression}");
        }
    }
}
