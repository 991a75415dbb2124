//! Functions that escape what URLs cannot hold.

use super::super::error::{Failure, error};
use super::super::host::{Arguments, Host};
use super::super::value::Value;
use super::Entry;
use super::texts::of_text;

pub(super) const FUNCTIONS: &[Entry] = &[
    ("encodeUrlComponent", "<s-:s>", 1, encode_component),
    ("encodeUrl", "<s-:s>", 1, encode_url),
    ("decodeUrlComponent", "<s-:s>", 1, decode_component),
    ("decodeUrl", "<s-:s>", 1, decode_url),
];

/// What stays as it is in a part of a URL, beside letters and digits; and what a whole URL has beside that.
const PLAIN: &str = "-_.!~*'()";
const RESERVED: &str = ";/?:@&=+$,#";

fn encode(text: &str, also: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() || PLAIN.contains(letter) || also.contains(letter) {
            out.push(letter);
        } else {
            for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                out.push('%');
                for half in [byte >> 4, byte & 15] {
                    out.push(
                        char::from_digit(u32::from(half), 16)
                            .unwrap_or('0')
                            .to_ascii_uppercase(),
                    );
                }
            }
        }
    }
    out
}

fn decode(text: &str, kept: &str) -> Result<String, Failure> {
    let wrong = || error("D3140", format!("{text:?} has an escape that is none of a URL"));
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.chars().all(|digit| digit.is_ascii_hexdigit()));
        let digits = digits.ok_or_else(wrong)?;
        let decoded = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        if kept.contains(char::from(decoded)) && decoded.is_ascii() {
            out.push(b'%');
            out.extend_from_slice(digits.as_bytes());
        } else {
            out.push(decoded);
        }
        rest = &after[2..];
    }
    String::from_utf8(out).map_err(|_| wrong())
}

type Called = Result<Value, Failure>;

fn encode_component(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let room = host.meter().hold(3 * arguments.text(0).map_or(0, str::len))?;
    let called = of_text(host, arguments, |text| Ok(encode(text, "")));
    drop(room);
    called
}

fn encode_url(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    let room = host.meter().hold(3 * arguments.text(0).map_or(0, str::len))?;
    let called = of_text(host, arguments, |text| Ok(encode(text, RESERVED)));
    drop(room);
    called
}

fn decode_component(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    of_text(host, arguments, |text| decode(text, ""))
}

fn decode_url(host: &dyn Host, arguments: Arguments<'_>) -> Called {
    of_text(host, arguments, |text| decode(text, RESERVED))
}
