//! The API token: never shown, by any formatting.

use std::fmt;

use reqwest::header::HeaderValue;

/// A token for Scalr's API.
#[derive(Clone)]
pub struct Token(HeaderValue);

/// Text that cannot be a token. It holds nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nothing but white space.
    #[error("the token is empty")]
    Empty,
    /// Something that no header can hold.
    #[error("the token holds white space, a control character or a letter outside ASCII")]
    Illegal,
}

impl Token {
    /// The token that `text` holds; white space around it is dropped, as files and variables often end in a line break.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Illegal);
        }
        let mut value = HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| TokenError::Illegal)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// A text without the token: a server may repeat what it was sent.
    pub(super) fn redact(&self, text: &str) -> String {
        let header = self.0.to_str().unwrap_or_default();
        let token = header.trim_start_matches("Bearer ");
        text.replace(token, "…")
    }

    /// The value of the `Authorization` header.
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_trimmed_checked_and_never_shown() {
        let token = Token::new(" s3cret.atlasv1.x\n").unwrap();
        assert_eq!(token.header(), "Bearer s3cret.atlasv1.x");
        assert_eq!(format!("{token:?} {:?}", token.header()), "Token(…) Sensitive");
        assert_eq!(token.redact("`s3cret.atlasv1.x`?"), "`…`?");
        assert_eq!(Token::new(" \n").unwrap_err(), TokenError::Empty);
        for text in ["a b", "a\nb", "schlüssel", "a\0"] {
            assert_eq!(Token::new(text).unwrap_err(), TokenError::Illegal, "{text:?}");
        }
    }
}
