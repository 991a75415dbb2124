//! Functions of texts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::error::{Failure, error};
use super::super::host::{Arguments, Host};
use super::super::json::{Style, text_of};
use super::super::number;
use super::super::value::{Value, Written};
use super::Entry;

pub(super) const FUNCTIONS: &[Entry] = &[
    ("string", "<x-b?:s>", 1, string),
    ("substring", "<s-nn?:s>", 3, substring),
    ("substringBefore", "<s-s:s>", 2, substring_before),
    ("substringAfter", "<s-s:s>", 2, substring_after),
    ("lowercase", "<s-:s>", 1, lowercase),
    ("uppercase", "<s-:s>", 1, uppercase),
    ("length", "<s-:n>", 1, length),
    ("trim", "<s-:s>", 1, trim),
    ("pad", "<s-ns?:s>", 3, pad),
    ("join", "<a<s>s?:s>", 2, join),
    ("base64encode", "<s-:s>", 1, base64encode),
    ("base64decode", "<s-:s>", 1, base64decode),
];

type Called = Result<Value, Failure>;

fn string(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let style = if matches!(arguments.at(1), Value::Bool(true)) {
        Style::Indented
    } else {
        Style::Text
    };
    text_of(host.meter(), arguments.at(0), style)
}

/// The result of a function of one text; nothing for nothing.
pub(super) fn of_text(
    host: &dyn Host,
    arguments: Arguments<'_>,
    convert: impl FnOnce(&str) -> Result<String, Failure>,
) -> Called {
    let Some(text) = arguments.text(0) else {
        return Ok(Value::Undefined);
    };
    host.meter().read(text.len())?;
    let room = host.meter().hold(text.len())?;
    let result = convert(text)?;
    drop(room);
    Value::text(host.meter(), result)
}

fn substring(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    of_text(host, arguments, |text| {
        let count = number::from_count(text.chars().count());
        let mut from = arguments.number(1).unwrap_or_default();
        if count + from < 0.0 {
            from = 0.0;
        }
        let to = match arguments.number(2) {
            Some(length) if length <= 0.0 => return Ok(String::new()),
            Some(length) if from >= 0.0 => from + length,
            Some(length) => count + from + length,
            None => count,
        };
        let place = |index: f64| {
            let index = index.trunc();
            let index = if index < 0.0 {
                (count + index).max(0.0)
            } else {
                index.min(count)
            };
            usize::try_from(number::whole(index)).unwrap_or_default()
        };
        let (from, to) = (place(from), place(to));
        Ok(text.chars().skip(from).take(to.saturating_sub(from)).collect())
    })
}

fn substring_before(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    of_text(host, arguments, |text| {
        let mark = arguments.text(1).unwrap_or("undefined");
        Ok(text
            .split_once(mark)
            .map_or(text, |(before, _)| before)
            .to_owned())
    })
}

fn substring_after(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    of_text(host, arguments, |text| {
        let mark = arguments.text(1).unwrap_or("undefined");
        Ok(text.split_once(mark).map_or(text, |(_, after)| after).to_owned())
    })
}

fn lowercase(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    of_text(host, arguments, |text| Ok(text.to_lowercase()))
}

fn uppercase(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    of_text(host, arguments, |text| Ok(text.to_uppercase()))
}

fn length(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(text) = arguments.text(0) else {
        return Ok(Value::Undefined);
    };
    host.meter().read(text.len())?;
    Ok(Value::Number(number::from_count(text.chars().count())))
}

fn trim(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    of_text(host, arguments, |text| {
        let words = text
            .split([' ', '\t', '\n', '\r'])
            .filter(|word| !word.is_empty());
        Ok(words.collect::<Vec<_>>().join(" "))
    })
}

/// How much padding is made at once.
const BLOCK_LETTERS: usize = 4096;

fn pad(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(text) = arguments.text(0) else {
        return Ok(Value::Undefined);
    };
    let width = arguments.number(1).unwrap_or_default();
    let padding = arguments
        .text(2)
        .filter(|padding| !padding.is_empty())
        .unwrap_or(" ");
    host.meter().read(text.len())?;
    let missing = number::whole(width.abs()) - number::whole(number::from_count(text.chars().count()));
    let mut out = Written::new(host.meter())?;
    if width > 0.0 {
        out.push(text)?;
    }
    let missing = usize::try_from(missing).unwrap_or_default();
    let letters = padding.chars().count();
    let block = padding.repeat(BLOCK_LETTERS.div_ceil(letters));
    let in_block = block.chars().count();
    for _ in 0..missing / in_block {
        host.meter().read(block.len())?;
        out.push(&block)?;
    }
    host.meter().read(block.len())?;
    let rest = block
        .char_indices()
        .nth(missing % in_block)
        .map_or("", |(end, _)| &block[..end]);
    out.push(rest)?;
    if width <= 0.0 {
        out.push(text)?;
    }
    Ok(out.finish())
}

fn join(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let Some(texts) = arguments.array(0) else {
        return Ok(Value::Undefined);
    };
    let separator = arguments.text(1).unwrap_or_default();
    let mut out = Written::new(host.meter())?;
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            out.push(separator)?;
        }
        if let Value::Text(text) = text {
            host.meter().read(text.len() + separator.len())?;
            out.push(text)?;
        }
    }
    Ok(out.finish())
}

/// Each letter is one byte, as in a browser; what is beyond Latin-1 loses its upper bits there, and is refused here.
fn base64encode(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    of_text(host, arguments, |text| {
        let bytes: Result<Vec<u8>, _> = text
            .chars()
            .map(|letter| u8::try_from(u32::from(letter)))
            .collect();
        let bytes = bytes.map_err(|_| error("D3137", "`$base64encode` takes letters of Latin-1 only"))?;
        Ok(STANDARD.encode(bytes))
    })
}

fn base64decode(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    of_text(host, arguments, |text| {
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| error("D3137", "`$base64decode` was given text that is not base64"))?;
        Ok(bytes.into_iter().map(char::from).collect())
    })
}
