//! Refusals in CBOR, for clients of a protocol that no service here speaks.

use crate::fault::Fault;

/// A map of the error's code and message.
pub(super) fn fault(fault: &Fault) -> Vec<u8> {
    let mut out = vec![0xA2];
    for member in ["__type", &fault.code, "message", &fault.message] {
        text(member, &mut out);
    }
    out
}

/// A text: its length in bytes, then its bytes (RFC 8949, section 3, major type 3).
fn text(text: &str, out: &mut Vec<u8>) {
    const MAJOR: u8 = 3 << 5;
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let [.., high, low] = length.to_be_bytes();
    match length {
        0..24 => out.push(MAJOR | low),
        24..0x100 => out.extend([MAJOR | 0x18, low]),
        0x100..0x1_0000 => out.extend([MAJOR | 0x19, high, low]),
        _ => {
            out.push(MAJOR | 0x1A);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_length_before_them() {
        for (count, head) in [
            (0, &[0x60][..]),
            (23, &[0x77]),
            (24, &[0x78, 24]),
            (255, &[0x78, 255]),
            (256, &[0x79, 1, 0]),
            (65_536, &[0x7A, 0, 1, 0, 0]),
        ] {
            let (words, mut out) = ("x".repeat(count), Vec::new());
            text(&words, &mut out);
            assert_eq!(out, [head, words.as_bytes()].concat(), "{count}");
        }
        let refused = fault(&Fault::new("A", "b"));
        assert_eq!(refused, b"\xA2\x66__type\x61A\x67message\x61b");
    }
}
