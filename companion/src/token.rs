//! The tokens of the API: compared and revealed in a few places, shown by no formatting.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::secrets;

/// A token. It has no `Display`, and a `Debug` that hides it.
#[derive(Clone)]
pub(crate) struct Token(String);

/// SHA-256 of a token's text: what is stored of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digest([u8; 32]);

impl Token {
    /// A token of this text, which no text for people holds from here on.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        secrets::given(&text);
        Self(text)
    }

    /// A new one. No log holds it: it ends in as many hexadecimal digits as are left out of every line.
    pub(crate) fn random(prefix: &str) -> Self {
        let (a, b) = (Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Self(format!("{prefix}{a}{b}"))
    }

    /// Its text, for the line that it is printed in, the answer that made it and the `Authorization` header.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Its last characters, as audit logs show it.
    pub(crate) fn end(&self) -> String {
        let start = self.0.len().saturating_sub(6);
        format!("...{}", self.0.get(start..).unwrap_or_default())
    }
}

impl Digest {
    /// The digest of a token that was sent or made.
    pub(crate) fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// A stored digest; none where these are not its bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same in hexadecimal digits.
    pub(crate) fn hex(&self) -> String {
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect()
    }

    /// Whether both are of one token. The comparison takes the same time wherever the first difference is.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(&other.0);
        pairs.fold(0u8, |seen, (a, b)| std::hint::black_box(seen | (a ^ b))) == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl FromStr for Token {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_accepted() {
        let have = Digest::of("abcdefgh");
        for (sent, accepted) in [
            ("abcdefgh", true),
            ("", false),
            ("abcdefg", false),
            ("abcdefghi", false),
            ("Abcdefgh", false),
        ] {
            assert_eq!(have.is(&Digest::of(sent)), accepted, "{sent:?}");
        }
        assert!(Digest::from_bytes(have.as_bytes()).is_some_and(|read| read.is(&have)));
        assert!(Digest::from_bytes(&[0; 31]).is_none());
        assert_eq!(Token::new("abcdefgh").end(), "...cdefgh");
    }

    #[test]
    fn a_token_is_redacted_in_any_text() {
        let token = Token::new("6ecret-6ecret");
        assert_eq!(secrets::redact("Bearer 6ecret-6ecret!"), "Bearer …!");
        assert_eq!(format!("{token:?}"), "Token(…)");
        let random = Token::random("seba_");
        assert_eq!(random.reveal().len(), "seba_".len() + 64);
        let text = format!("Bearer {}!", random.reveal());
        assert_eq!(secrets::redact(&text), "Bearer seba_…!");
        assert_ne!(random.reveal(), Token::random("seba_").reveal());
    }
}
