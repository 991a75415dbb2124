//! The token of the API: compared and revealed in a few places, shown by no formatting.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::secrets;

/// A token. It has no `Display`, and a `Debug` that hides it.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// A token of this text, which no text for people holds from here on.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        secrets::given(&text);
        Self(text)
    }

    /// Its text, for the store, the line that `dev` prints and the `Authorization` header.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether this is the token that was sent. The comparison takes the same time wherever the first difference is.
    pub(crate) fn is(&self, sent: &str) -> bool {
        let (have, want) = (sent.as_bytes(), self.0.as_bytes());
        let differing = have
            .iter()
            .zip(want)
            .fold(0u8, |seen, (a, b)| std::hint::black_box(seen | (a ^ b)));
        differing == 0 && have.len() == want.len()
    }

    /// Its last characters, as audit logs show it.
    pub(crate) fn end(&self) -> String {
        let start = self.0.len().saturating_sub(6);
        format!("...{}", self.0.get(start..).unwrap_or_default())
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
        let token = Token::new("abcdefgh");
        for (sent, accepted) in [
            ("abcdefgh", true),
            ("", false),
            ("abcdefg", false),
            ("abcdefghi", false),
            ("Abcdefgh", false),
        ] {
            assert_eq!(token.is(sent), accepted, "{sent:?}");
        }
        assert_eq!(token.end(), "...cdefgh");
    }

    #[test]
    fn a_token_is_redacted_in_any_text() {
        let token = Token::new("6ecret-6ecret");
        assert_eq!(secrets::redact("Bearer 6ecret-6ecret!"), "Bearer …!");
        assert_eq!(format!("{token:?}"), "Token(…)");
    }
}
