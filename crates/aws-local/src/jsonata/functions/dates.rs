//! Functions of times: milliseconds since 1970 to text and back.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use super::super::error::{Failure, error};
use super::super::host::{Arguments, Host};
use super::super::number;
use super::super::value::Value;
use super::Entry;
use super::calendar::{Moment, days_before, zone_minutes};
use super::date_picture::{DatePicture, Part};
use super::integer_picture::parse as parse_integer;

pub(super) const FUNCTIONS: &[Entry] = &[
    ("now", "<s?s?:s>", 2, now),
    ("millis", "<:n>", 0, |host, _| {
        Ok(Value::Number(number::from_millis(host.now())))
    }),
    ("fromMillis", "<n-s?s?:s>", 3, from_millis),
    ("toMillis", "<s-s?:n>", 2, to_millis),
];

type Called = Result<Value, Failure>;

/// ISO 8601 in UTC with milliseconds, or with the offset that is asked for.
const ISO: &str = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]";

/// What ISO 8601 looks like here.
const ISO_FORM: &str = concat!(
    r"^([0-9]{4})(?:-([01][0-9]))?(?:-([0-3][0-9]))?",
    r"(?:T([0-2][0-9]):([0-5][0-9]):([0-5][0-9]))?(?:\.([0-9]+))?([+-][0-2][0-9]:?[0-5][0-9]|Z)?$",
);

/// Times beyond have no date here, as in JavaScript.
const MILLIS_MAX: f64 = 8.64e15;

fn now(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    format(
        host,
        number::from_millis(host.now()),
        arguments.text(0),
        arguments.text(1),
    )
}

fn from_millis(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    match arguments.number(0) {
        Some(millis) => format(host, millis, arguments.text(1), arguments.text(2)),
        None => Ok(Value::Undefined),
    }
}

fn format(host: &dyn Host, millis: f64, picture: Option<&str>, zone: Option<&str>) -> Called {
    let picture = picture.unwrap_or(ISO);
    host.meter().work(picture.len())?;
    if millis.is_nan() || millis.abs() > MILLIS_MAX {
        return Err(error("D3110", "the time is beyond the years that have a date"));
    }
    let offset = zone.map_or(0, zone_minutes);
    let moment = Moment::of(number::whole(millis) + offset * 60_000, offset);
    Value::text(host.meter(), DatePicture::analyse(picture)?.format(&moment)?)
}

fn to_millis(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(text) = arguments.text(0) else {
        return Ok(Value::Undefined);
    };
    host.meter().read(text.len())?;
    let millis = match arguments.text(1) {
        Some(picture) => {
            host.meter().work(500 + 20 * picture.len())?;
            parse(text, &DatePicture::analyse(picture)?, host.now())?
        }
        None => Some(iso(text).ok_or_else(|| {
            let shown: String = text.chars().take(50).collect();
            error("D3110", format!("{shown:?} is no time of ISO 8601"))
        })?),
    };
    Ok(millis.map_or(Value::Undefined, |millis| {
        Value::Number(number::from_millis(millis))
    }))
}

/// A year, a month, a day or a time of ISO 8601; what has no zone is UTC.
fn iso(text: &str) -> Option<i64> {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(ISO_FORM).ok());
    let found = FORM.as_ref()?.captures(text)?;
    let part = |index: usize, otherwise: i64| match found.get(index) {
        Some(digits) => digits.as_str().parse().ok(),
        None => Some(otherwise),
    };
    let days = days_before(part(1, 0)?, part(2, 1)?, part(3, 1)?)?;
    let seconds = (part(4, 0)? * 60 + part(5, 0)?) * 60 + part(6, 0)?;
    let fraction: String = found
        .get(7)
        .map_or("", |digits| digits.as_str())
        .chars()
        .chain("000".chars())
        .take(3)
        .collect();
    let offset = found.get(8).map_or("Z", |zone| zone.as_str());
    let offset = if offset == "Z" {
        0
    } else {
        zone_minutes(&offset.replace(':', ""))
    };
    Some(days * 86_400_000 + seconds * 1000 + fraction.parse::<i64>().ok()? - offset * 60_000)
}

/// What a text said, by component.
type Said = Vec<(char, f64)>;

/// The time that a text of this picture is; nothing, where it is none.
fn parse(text: &str, picture: &DatePicture, now: i64) -> Result<Option<i64>, Failure> {
    let mut form = "^".to_owned();
    for part in &picture.parts {
        form.push('(');
        form.push_str(&part.pattern()?);
        form.push(')');
    }
    form.push('$');
    let regex = RegexBuilder::new(&form)
        .case_insensitive(true)
        .unicode(false)
        .size_limit(1024 * 1024)
        .build();
    let regex = regex.map_err(|_| error("D3132", "the picture of a time is too long to be read by"))?;
    let Some(found) = regex.captures(text) else {
        return Ok(None);
    };
    let mut said = Said::new();
    for (part, found) in picture.parts.iter().zip(found.iter().skip(1)) {
        if let (Part::Marker(marker), Some(found)) = (part, found) {
            let value = match &marker.integer {
                Some(integer) if !"Zzf".contains(marker.component) => parse_integer(found.as_str(), integer)?,
                _ => marker.value(found.as_str()),
            };
            if let Some(value) = value {
                said.push((marker.component, value));
            }
        }
    }
    if said.is_empty() {
        return Ok(None);
    }
    complete(said, now).map(Some)
}

/// Fills in what a text left out: what is above it from the present, what is below it from the start.
fn complete(mut said: Said, now: i64) -> Result<i64, Failure> {
    let has = |said: &Said, letter: char| {
        said.iter()
            .any(|(component, value)| *component == letter && *value != 0.0)
    };
    let any = |said: &Said, letters: &str| letters.chars().any(|letter| has(said, letter));
    let day_of_year = has(&said, 'd') && !any(&said, "MDXxWwF");
    if !day_of_year && any(&said, "XxWw") && !any(&said, "MD") {
        return Err(error("D3136", "times cannot be read by weeks here"));
    }
    let half_days = any(&said, "Ph") && !has(&said, 'H');
    let order = format!(
        "{}{}",
        if day_of_year { "Yd" } else { "YMD" },
        if half_days { "Phmsf" } else { "Hmsf" }
    );
    let present = Moment::of(now, 0);
    let (mut began, mut ended) = (false, false);
    for letter in order.chars() {
        let known = said.iter().any(|(component, _)| *component == letter);
        if known && ended {
            return Err(error(
                "D3136",
                "the picture of a time leaves out what is between its parts",
            ));
        }
        if known {
            began = true;
            continue;
        }
        ended |= began;
        let value = if began {
            f64::from(u8::from("MDd".contains(letter)))
        } else {
            present.component(letter).map_or(0.0, number::from_millis)
        };
        said.push((letter, value));
    }
    let of = |letter: char| {
        let found = said.iter().find(|(component, _)| *component == letter);
        found.map_or(0, |(_, value)| number::whole(value.round()))
    };
    let days = if day_of_year {
        days_before(of('Y'), 1, 1).map(|days| days + of('d') - 1)
    } else {
        days_before(of('Y'), of('M').max(1), of('D'))
    };
    let days = days.ok_or_else(|| error("D3136", "the text is no date"))?;
    let hours = if half_days {
        of('h') % 12 + 12 * of('P')
    } else {
        of('H')
    };
    let zone = of('Z') + of('z');
    let minutes = hours
        .saturating_mul(60)
        .saturating_add(of('m'))
        .saturating_sub(zone);
    let millis = minutes
        .saturating_mul(60_000)
        .saturating_add(of('s').saturating_mul(1000));
    Ok(days
        .saturating_mul(86_400_000)
        .saturating_add(millis)
        .saturating_add(of('f')))
}
