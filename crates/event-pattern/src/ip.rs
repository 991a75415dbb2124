//! Addresses and ranges of addresses, as the engine compares them: by their hexadecimal digits.
//!
//! A range of IPv4 addresses has eight digits, an address of IPv6 thirty-two, and the engine compares them digit by
//! digit until one of them settles the matter. So `2001:db8::1` is in `32.1.0.0/16`. That is odd, and kept.

/// An address's digits, each 0 to 15.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Digits {
    digits: [u8; 32],
    len: u8,
}

impl Digits {
    fn new(bytes: &[u8]) -> Self {
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair[0] = byte >> 4;
            pair[1] = byte & 15;
        }
        Self {
            digits,
            len: u8::try_from(bytes.len() * 2).unwrap_or(32),
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.digits[..usize::from(self.len)]
    }

    /// The digits as text, as the engine passes them about.
    pub(crate) fn text(&self) -> Vec<u8> {
        self.as_slice()
            .iter()
            .map(|digit| b"0123456789ABCDEF"[usize::from(*digit)])
            .collect()
    }
}

/// The addresses from `low` to `high`, both included.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    low: Digits,
    high: Digits,
}

impl Range {
    /// The range of one address.
    pub(crate) fn one(address: Digits) -> Self {
        Self {
            low: address.clone(),
            high: address,
        }
    }

    /// Reads `10.0.0.0/8` or `2001:db8::/32`; the error is the engine's.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (address, mask) = split(text).ok_or("Malformed CIDR, one '/' required")?;
        let mask = java_int(mask).ok_or("Malformed CIDR, mask bits must be an integer")?;
        if mask < 0 {
            return Err("Malformed CIDR, mask bits must not be negative".to_owned());
        }
        let bytes = bytes(address)?;
        if bytes.len() == 4 && mask > 31 {
            return Err("IPv4 mask bits must be < 32".to_owned());
        }
        if bytes.len() == 16 && mask > 127 {
            return Err("IPv6 mask bits must be < 128".to_owned());
        }
        let mut low = bytes.clone();
        let mut high = bytes;
        for (index, (low, high)) in low.iter_mut().zip(&mut high).enumerate() {
            let fixed = usize::try_from(mask)
                .unwrap_or(0)
                .saturating_sub(index * 8)
                .min(8);
            let free = u8::try_from(0xff_u16 >> fixed).unwrap_or(0);
            *low &= !free;
            *high |= free;
        }
        Ok(Self {
            low: Digits::new(&low),
            high: Digits::new(&high),
        })
    }

    pub(crate) fn contains(&self, address: &Digits) -> bool {
        self.holds(address.as_slice())
    }

    /// Whether a number is within the range: where nothing else takes it for a number, its digits are hexadecimal.
    pub(crate) fn contains_number(&self, text: &[u8]) -> bool {
        let digits: Vec<u8> = text
            .iter()
            .map_while(|byte| match byte {
                b'0'..=b'9' => Some(byte - b'0'),
                b'A'..=b'F' => Some(byte - b'A' + 10),
                _ => None,
            })
            .take(32)
            .collect();
        self.holds(&digits)
    }

    /// The first digits of the lowest and of the highest address.
    pub(crate) fn first_digits(&self) -> impl Iterator<Item = u8> {
        let bounds = [&self.low, &self.high].into_iter();
        bounds.filter_map(|bound| bound.as_slice().first().copied())
    }

    fn holds(&self, value: &[u8]) -> bool {
        let (low, high) = (self.low.as_slice(), self.high.as_slice());
        let settled = value.len().min(low.len());
        let value_cut = &value[..settled];
        if value.len() < low.len() {
            return low[..settled] < *value_cut && *value_cut < high[..settled];
        }
        low <= value_cut && value_cut <= high
    }
}

/// The first digit of a number, as an address's digits are counted.
pub(crate) fn first_digit(text: &[u8]) -> Option<u8> {
    text.first().map(|byte| byte.wrapping_sub(b'0'))
}

/// Java's `split("/")`: empty parts at the end do not count, others do.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut parts: Vec<&str> = text.split('/').collect();
    while parts.last() == Some(&"") && parts.len() > 1 {
        parts.pop();
    }
    match parts[..] {
        [address, mask] => Some((address, mask)),
        _ => None,
    }
}

/// Java's `Integer.parseInt`, which takes the digits of all scripts.
fn java_int(text: &str) -> Option<i32> {
    let latin = |c: char| match c {
        '+' | '-' => Some(c),
        _ => digit(c).and_then(|digit| char::from_digit(digit, 10)),
    };
    text.chars().map(latin).collect::<Option<String>>()?.parse().ok()
}

/// The value of a decimal digit, of those that are one UTF-16 unit.
fn digit(c: char) -> Option<u32> {
    const ZEROS: [u32; 37] = [
        0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
        0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0,
        0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    ];
    ZEROS
        .into_iter()
        .filter_map(|zero| u32::from(c).checked_sub(zero))
        .find(|digit| *digit < 10)
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    if !looks_like_address(text) {
        return Err(format!("Nonstandard IP address: {text}"));
    }
    address_bytes(text).ok_or_else(|| format!("Invalid IP address: {text}"))
}

/// The address that a string is, if it is one.
pub(crate) fn address(text: &[u8]) -> Option<Digits> {
    // Cheaper than all that follows, and decides for nearly every string.
    if text.len() < 2
        || text.len() > 256
        || !matches!(text[0], b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b':')
    {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    if !looks_like_address(text) {
        return None;
    }
    address_bytes(text).map(|bytes| Digits::new(&bytes))
}

fn looks_like_address(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let v4 = parts.len() == 4
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    v4 || (text.contains(':') && text.bytes().all(|b| b == b':' || b.is_ascii_hexdigit()))
}

fn address_bytes(text: &str) -> Option<Vec<u8>> {
    if text.contains(':') {
        v6(text)
    } else {
        v4(text).map(|bytes| bytes.to_vec())
    }
}

/// Leading zeros are decimal: Java takes `010` for ten.
fn v4(text: &str) -> Option<[u8; 4]> {
    if text.len() > 15 {
        return None;
    }
    let mut bytes = [0; 4];
    for (byte, part) in bytes.iter_mut().zip(text.split('.')) {
        *byte = part
            .parse::<u32>()
            .ok()
            .and_then(|value| u8::try_from(value).ok())?;
    }
    Some(bytes)
}

/// An IPv4 address in IPv6's clothes is an IPv4 address. A group may have any number of leading zeros.
fn v6(text: &str) -> Option<Vec<u8>> {
    let (left, right) = match text.split_once("::") {
        Some((left, right)) => (groups(left)?, Some(groups(right)?)),
        None => (groups(text)?, None),
    };
    let given = left.len() + right.as_ref().map_or(0, Vec::len);
    if given > 8 || (given == 8) != right.is_none() {
        return None;
    }
    let zeros = std::iter::repeat_n(0, 8 - given);
    let all: Vec<u16> = left
        .into_iter()
        .chain(zeros)
        .chain(right.unwrap_or_default())
        .collect();
    let bytes: Vec<u8> = all.iter().flat_map(|group| group.to_be_bytes()).collect();
    let mapped = bytes[..10].iter().all(|byte| *byte == 0) && bytes[10..12] == [0xff, 0xff];
    Some(if mapped { bytes[12..].to_vec() } else { bytes })
}

fn groups(text: &str) -> Option<Vec<u16>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(':').map(group).collect()
}

fn group(text: &str) -> Option<u16> {
    let digits = text.trim_start_matches('0');
    match digits {
        "" => (!text.is_empty()).then_some(0),
        _ => u16::from_str_radix(digits, 16).ok(),
    }
}
