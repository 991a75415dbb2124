//! What AWS adds to the language: `$hash`, `$uuid`, `$parse`, `$partition`, `$range`; its `$random` is with the numbers.

use std::fmt::Write as _;

use sha2::Digest as _;

use super::super::error::{Failure, error};
use super::super::host::{Arguments, Host};
use super::super::json;
use super::super::number;
use super::super::value::{Items, Value};
use super::Entry;

pub(super) const FUNCTIONS: &[Entry] = &[
    ("hash", "<ss:s>", 2, hash),
    ("uuid", "<:s>", 0, uuid),
    ("parse", "<s-:x>", 1, parse),
    ("partition", "<an:a>", 2, partition),
    ("range", "<nnn:a>", 3, range),
];

type Called = Result<Value, Failure>;

/// A range has no more items than the one of the language.
const RANGE_MAX: f64 = 1e7;

fn hash(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(text) = arguments.text(0) else {
        return Ok(Value::Undefined);
    };
    host.meter().read(8 * text.len())?;
    let digest = match arguments.text(1).unwrap_or_default() {
        "MD5" => md5::Md5::digest(text).to_vec(),
        "SHA-1" => sha1::Sha1::digest(text).to_vec(),
        "SHA-256" => sha2::Sha256::digest(text).to_vec(),
        "SHA-384" => sha2::Sha384::digest(text).to_vec(),
        "SHA-512" => sha2::Sha512::digest(text).to_vec(),
        other => {
            let other: String = other.chars().take(50).collect();
            let what =
                format!("`hash` has no algorithm {other:?}; it has MD5, SHA-1, SHA-256, SHA-384 and SHA-512");
            return Err(error("D3137", what));
        }
    };
    let mut hex = String::new();
    for byte in digest {
        write!(hex, "{byte:02x}").map_err(|failed| Failure::Broken(failed.to_string()))?;
    }
    Value::text(host.meter(), hex)
}

fn uuid(host: &dyn Host, _: Arguments<'_>) -> Called {
    let mut made = String::new();
    host.with_dice(&mut |dice| made = dice.uuid());
    Value::text(host.meter(), made)
}

fn parse(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    match arguments.text(0) {
        Some(text) => json::read(host.meter(), text),
        None => Ok(Value::Undefined),
    }
}

fn partition(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let (Some(array), Some(size)) = (arguments.array(0), arguments.number(1)) else {
        return Ok(Value::Undefined);
    };
    let size = usize::try_from(number::whole(size.floor())).unwrap_or_default();
    if size == 0 {
        return Err(error("D3137", "`partition` needs a size of 1 or more"));
    }
    let mut parts = Items::new(host.meter())?;
    for chunk in array.chunks(size) {
        host.meter().work(1 + chunk.len() / 16)?;
        let mut part = Items::new(host.meter())?;
        part.extend(chunk)?;
        parts.push(Value::Array(part.array()?))?;
    }
    Ok(Value::Array(parts.array()?))
}

fn range(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let numbers = (arguments.number(0), arguments.number(1), arguments.number(2));
    let (Some(first), Some(last), Some(step)) = numbers else {
        return Ok(Value::Undefined);
    };
    if step == 0.0 || !step.is_finite() || !first.is_finite() || !last.is_finite() {
        return Err(error(
            "D3137",
            "`range` needs a step other than 0, and finite numbers",
        ));
    }
    let mut items = Items::new(host.meter())?;
    let count = ((last - first) / step + 1e-9).floor() + 1.0;
    if count > RANGE_MAX {
        return Err(error("D2014", "`range` would have more than 10,000,000 items"));
    }
    for at in 0..number::whole(count.max(0.0)) {
        host.meter().work(1)?;
        items.push(Value::Number(number::rounded(
            first + number::from_millis(at) * step,
        )))?;
    }
    Ok(Value::Array(items.array()?))
}
