//! `wildcard`: parsing and matching.

use memchr::memmem;

/// A text with `*` for any run of bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wildcard {
    /// The texts before, between and after the stars; one more than there are stars.
    pub(crate) parts: Vec<Vec<u8>>,
}

impl Wildcard {
    /// Reads a pattern; positions in the refusal count the opening quote.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let mut parts = vec![Vec::new()];
        let mut last = Vec::new();
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            let next = text.get(at + 1);
            match (byte, next) {
                (b'*', Some(b'*')) => {
                    return Err(format!("Consecutive wildcard characters at pos {}", at + 1));
                }
                (b'*', _) => {
                    if let Some(part) = parts.last_mut() {
                        *part = std::mem::take(&mut last);
                    }
                    parts.push(Vec::new());
                }
                (b'\\', Some(escaped @ (b'*' | b'\\'))) => {
                    last.push(*escaped);
                    at += 1;
                }
                (b'\\', _) => return Err(format!("Invalid escape character at pos {}", at + 1)),
                _ => last.push(*byte),
            }
            at += 1;
        }
        if let Some(part) = parts.last_mut() {
            *part = last;
        }
        Ok(Self { parts })
    }

    /// Each part is taken where it first occurs: to look further along can never match more.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let [head, middle @ .., tail] = &self.parts[..] else {
            return self.parts.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(&head[..]) else {
            return false;
        };
        for part in middle {
            let Some(at) = memmem::find(rest, part) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(tail)
    }
}
